package rollouttest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/guidon-go/guidon/rollout"
)

// TestJournal calls newPlace for each rule, which makes an empty place and returns
// what opens the journal in it, and wants that
//   - order: what was appended is read back in order, as Append returned it, also when
//     reading stops half way;
//   - seal: Append fills in Version, Seq, Prev and Sum, so that [rollout.Verify] agrees;
//   - snapshot: a reader sees the records that were there when it began, whatever is
//     appended meanwhile;
//   - concurrent: appends at the same time make one chain that has each once;
//   - context: an append whose context is over returns its error and writes nothing;
//   - reopen: everything that was acknowledged is there when the journal is closed, if
//     it is an [io.Closer], and opened again, and it goes on from there;
//   - writer: while it is open, opening it again is [rollout.ErrLocked] or
//     [rollout.ErrFenced], or the new one takes over, reads everything that was
//     acknowledged, and appending through the first is ErrFenced from then on. A journal
//     that is the same value each time is one writer;
//   - checkpoint: a [rollout.Checkpointer] takes a checkpoint in its place and no other,
//     Append takes none, Recent begins with the newest, and Records are still one chain.
func TestJournal(t T, newPlace func() (open func() (rollout.Journal, error))) {
	t.Helper()
	for _, rule := range []struct {
		name string
		try  func(k *kit, j rollout.Journal) bool
	}{
		{"order", order}, {"seal", seal}, {"snapshot", snapshot}, {"concurrent", concurrent},
		{"context", canceled}, {"reopen", reopen}, {"writer", writer}, {"checkpoint", checkpoint},
	} {
		k := &kit{t, rule.name, newPlace()}
		if j := k.opened(); j != nil && rule.try(k, j) {
			k.closed(j)
		}
	}
}

// add appends and keeps what Append returned.
func (k *kit) add(j rollout.Journal, names ...string) (all []rollout.Record, ok bool) {
	k.t.Helper()
	for _, name := range names {
		r, err := j.Append(context.Background(), record(name))
		if err != nil {
			return all, k.fail("an append fails: %v", err)
		}
		all = append(all, r)
	}
	return all, true
}

func order(k *kit, j rollout.Journal) bool {
	k.t.Helper()
	if empty, ok := k.read(j.Records()); !ok || len(empty) > 0 {
		return ok && k.fail("a new journal has %d records", len(empty))
	}
	want, ok := k.add(j, "a", "b", "c", "d", "e")
	if !ok {
		return false
	}
	for range j.Records() {
		break
	}
	got, ok := k.read(j.Records())
	return ok && k.same(got, want)
}

func seal(k *kit, j rollout.Journal) bool {
	k.t.Helper()
	all, ok := k.add(j, "a", "b", "c")
	if !ok {
		return false
	}
	err := rollout.Verify(func(yield func(rollout.Record, error) bool) {
		for _, r := range all {
			if !yield(r, nil) {
				return
			}
		}
	})
	if err != nil {
		return k.fail("what Append returned is no chain: %v", err)
	}
	for _, r := range all {
		if want := record(r.Rollout); r.Kind != want.Kind || r.Reason != want.Reason || r.Actor != want.Actor || !r.At.Equal(want.At) || !r.Until.Equal(want.Until) {
			return k.fail("Append returned %+v, want what was appended: %+v", r, want)
		}
	}
	return true
}

func snapshot(k *kit, j rollout.Journal) bool {
	k.t.Helper()
	want, ok := k.add(j, "a", "b")
	if !ok {
		return false
	}
	var got []rollout.Record
	for r, err := range j.Records() {
		if err != nil {
			return k.fail("reading fails while records are appended: %v", err)
		}
		if got = append(got, r); len(got) > len(want) {
			return k.fail("a reader sees a record that was appended after it began")
		}
		if _, ok := k.add(j, "c"); !ok {
			return false
		}
	}
	return k.same(got, want)
}

func concurrent(k *kit, j rollout.Journal) bool {
	k.t.Helper()
	const writers, each = 8, 5
	var wait sync.WaitGroup
	for w := range writers {
		wait.Go(func() {
			for i := range each {
				if _, err := j.Append(context.Background(), record(fmt.Sprint(w, " ", i))); err != nil {
					k.fail("an append fails while there are others: %v", err)
				}
				for _, err := range j.Records() {
					if err != nil {
						k.fail("reading fails while records are appended: %v", err)
					}
				}
			}
		})
	}
	wait.Wait()
	all, ok := k.read(j.Records())
	if !ok {
		return false
	}
	next := map[int]int{}
	for _, r := range all {
		var w, i int
		if _, err := fmt.Sscan(r.Rollout, &w, &i); err != nil || next[w] != i {
			return k.fail("found %q, want record %d of that writer, each once and in its order", r.Rollout, next[w])
		}
		next[w]++
	}
	if len(all) != writers*each {
		return k.fail("%d records are read, and %d were acknowledged", len(all), writers*each)
	}
	if err := rollout.Verify(j.Records()); err != nil {
		return k.fail("appends at the same time make no chain: %v", err)
	}
	return true
}

func canceled(k *kit, j rollout.Journal) bool {
	k.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := j.Append(ctx, record("a")); !errors.Is(err, context.Canceled) {
		return k.fail("an append with a context that is over returns %v, want %v", err, context.Canceled)
	}
	if all, ok := k.read(j.Records()); !ok || len(all) > 0 {
		return ok && k.fail("an append with a context that is over was written")
	}
	return true
}

func reopen(k *kit, j rollout.Journal) bool {
	k.t.Helper()
	want, ok := k.add(j, "a", "b", "c")
	if !ok {
		return false
	}
	k.closed(j)
	again := k.opened()
	if again == nil {
		return false
	}
	defer k.closed(again)
	more, ok := k.add(again, "d")
	if !ok {
		return false
	}
	if got, ok := k.read(again.Records()); !ok || !k.same(got, append(want, more...)) {
		return false
	}
	if err := rollout.Verify(again.Records()); err != nil {
		k.fail("it does not go on where it ended: %v", err)
	}
	return false // it is closed
}

func writer(k *kit, j rollout.Journal) bool {
	k.t.Helper()
	want, ok := k.add(j, "a")
	if !ok {
		return false
	}
	second, err := k.open()
	switch {
	case errors.Is(err, rollout.ErrLocked), errors.Is(err, rollout.ErrFenced):
		if _, ok := k.add(j, "b"); !ok {
			return k.fail("after a second one was refused")
		}
		return true
	case err != nil:
		return k.fail("opening it again, while it is open, returns %v, want %v or %v", err, rollout.ErrLocked, rollout.ErrFenced)
	case isSame(j, second):
		return true
	}
	defer k.closed(second)
	more, ok := k.add(second, "b")
	if !ok {
		return false
	}
	for range 2 {
		if _, err := j.Append(context.Background(), record("c")); !errors.Is(err, rollout.ErrFenced) {
			return k.fail("an append through the first returns %v after a second has taken over, want %v", err, rollout.ErrFenced)
		}
	}
	got, ok := k.read(second.Records())
	return ok && k.same(got, append(want, more...))
}

func checkpoint(k *kit, journal rollout.Journal) bool {
	k.t.Helper()
	j, ok := journal.(rollout.Checkpointer)
	if !ok {
		return true
	}
	j.Full()
	all, ok := k.add(j, "a", "b")
	if !ok {
		return false
	}
	r := record("")
	r.Kind, r.Checkpoint = rollout.KindCheckpoint, &rollout.Checkpoint{Live: all[1:]}
	if _, err := j.Append(context.Background(), r); err == nil {
		return k.fail("Append takes a checkpoint")
	}
	if _, err := j.Checkpoint(context.Background(), record("c")); err == nil {
		return k.fail("Checkpoint takes a record that is none")
	}
	r.Seq = 2
	if _, err := j.Checkpoint(context.Background(), r); !errors.Is(err, rollout.ErrConflict) {
		return k.fail("a checkpoint that does not know of the last record returns %v, want %v", err, rollout.ErrConflict)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r.Seq = 3
	if _, err := j.Checkpoint(ctx, r); !errors.Is(err, context.Canceled) {
		return k.fail("a checkpoint with a context that is over returns %v, want %v", err, context.Canceled)
	}
	for _, seq := range []uint64{3, 0} {
		r.Seq = seq
		written, err := j.Checkpoint(context.Background(), r)
		if err != nil {
			return k.fail("a checkpoint fails: %v", err)
		}
		more, ok := k.add(j, "d")
		if !ok {
			return false
		}
		recent := append([]rollout.Record{written}, more...)
		if got, ok := k.read(j.Recent()); !ok || !k.same(got, recent) {
			return ok && k.fail("Recent has not the newest checkpoint and what follows it")
		}
		all = append(all, recent...)
		if got, ok := k.read(j.Records()); !ok || !k.same(got, all) {
			return false
		}
	}
	if err := rollout.Verify(j.Records()); err != nil {
		return k.fail("with checkpoints it is no chain: %v", err)
	}
	return true
}
