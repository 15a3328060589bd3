package rollout_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/guidon-go/guidon/rollout"
)

// A journal begins with a checkpoint anew when it is full, and the older files can be
// moved away.
func ExampleFileJournal() {
	dir, err := os.MkdirTemp("", "journal")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	journal, err := rollout.FileOptions{SegmentSize: 500}.Open(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer journal.Close()
	ctx := context.Background()
	for !journal.Full() {
		if _, err := journal.Append(ctx, rollout.Record{Kind: rollout.KindBegun, Rollout: "1.4.2", Reason: "shift from 0 % to 5 %"}); err != nil {
			fmt.Println(err)
			return
		}
	}
	var live []rollout.Record
	for r := range journal.Recent() {
		live = append(live, r)
	}
	_, err = journal.Checkpoint(ctx, rollout.Record{Kind: rollout.KindCheckpoint, Checkpoint: &rollout.Checkpoint{Live: live}})
	fmt.Println(err, len(live))
	for r := range journal.Recent() {
		fmt.Println(r.Seq, r.Kind)
	}
	fmt.Println(rollout.Verify(journal.Records()))
	// Output:
	// <nil> 2
	// 3 checkpoint
	// <nil>
}

// Who did what in a time, and is the journal as it was written?
func ExampleFilter() {
	journal := &rollout.Memory{}
	ctx, noon := context.Background(), time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	for i, r := range []rollout.Record{
		{Kind: rollout.KindRequested, Rollout: "cart", Actor: "ann", Reason: "a new cart", Request: &rollout.Requested{Flag: "new-cart"}},
		{Kind: rollout.KindRequested, Rollout: "search", Actor: "bob", Reason: "a new search", Request: &rollout.Requested{Flag: "new-search"}},
		{Kind: rollout.KindBegun, Rollout: "cart", Actor: "engine", Reason: "shift from 0 % to 5 %"},
	} {
		r.At = noon.Add(time.Duration(i) * time.Minute)
		if _, err := journal.Append(ctx, r); err != nil {
			fmt.Println(err)
			return
		}
	}
	for r, err := range (rollout.Filter{Flag: "new-cart", From: noon}).Of(journal.Records()) {
		fmt.Println(r, err)
	}
	fmt.Println(rollout.Verify(journal.Records()))
	// Output:
	// 12:00:00.000  cart            requested by ann: a new cart <nil>
	// 12:02:00.000  cart            begins to shift from 0 % to 5 % <nil>
	// <nil>
}

// Another process follows the journal of one that writes it.
func ExampleFollow() {
	dir, err := os.MkdirTemp("", "journal")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	journal, err := rollout.OpenFile(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer journal.Close()
	if _, err := journal.Append(context.Background(), rollout.Record{Kind: rollout.KindBegun, Rollout: "1.4.2", Reason: "promote"}); err != nil {
		fmt.Println(err)
		return
	}

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for r, err := range rollout.Follow(ctx, dir) {
		fmt.Println(r, err)
		cancel()
	}
	// Output: 00:00:00.000  1.4.2           begins to promote <nil>
}

// A journal is exported as the lines of its file, and read from them.
func ExampleReadLines() {
	journal := &rollout.Memory{}
	if _, err := journal.Append(context.Background(), rollout.Record{Kind: rollout.KindBegun, Rollout: "1.4.2", Reason: "promote"}); err != nil {
		fmt.Println(err)
		return
	}
	file, err := os.CreateTemp("", "export")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.Remove(file.Name())
	defer file.Close()
	fmt.Println(rollout.WriteLines(file, journal.Records()))
	if _, err := file.Seek(0, 0); err != nil {
		fmt.Println(err)
		return
	}
	for r, err := range rollout.ReadLines(file) {
		fmt.Println(r, err)
	}
	// Output:
	// <nil>
	// 00:00:00.000  1.4.2           begins to promote <nil>
}
