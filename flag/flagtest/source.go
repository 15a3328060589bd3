package flagtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/guidon-go/guidon/flag"
)

const (
	sourceSoon  = time.Second // how late a Read may return after its context is over
	sourceWaits = time.Minute // how long a source may take to see what has changed
)

// TestSource calls newSource for each rule, which makes a source of a document, what
// puts another document in its place, and what breaks the source until the next put.
// A source whose document never changes returns nil for put; one that cannot break
// returns nil for breakIt. It wants that
//   - whole: Read returns what is there byte for byte, however often it is asked;
//   - later: what is put later is seen, be it longer, shorter, or what was there before,
//     and there is nothing between the two;
//   - owned: what Read returned, and what was put, is its owner's: to change it changes
//     nothing that is read;
//   - broken: a source that is broken returns an error that says something, and no
//     document; once it is not, the document is read again;
//   - context: a Read whose context is over returns its error within a second;
//   - named: a source that is a [fmt.Stringer] names itself in one line, always the same.
//
// What has changed may take a minute to be seen, so a source with pauses is best tested
// in a bubble of [testing/synctest]. What is found is reported as errors of the test,
// each with its rule. It starts no subtests.
func TestSource(t testing.TB, newSource func(data []byte) (source flag.Source, put func(data []byte), breakIt func())) {
	t.Helper()
	for _, rule := range []struct {
		name string
		try  func(k *sourceKit)
	}{
		{"whole", (*sourceKit).whole}, {"later", (*sourceKit).later}, {"owned", (*sourceKit).owned},
		{"broken", (*sourceKit).broken}, {"context", (*sourceKit).context}, {"named", (*sourceKit).named},
	} {
		k := &sourceKit{t: t, rule: rule.name, make: newSource}
		rule.try(k)
	}
}

// sourceKit tries one rule.
type sourceKit struct {
	t    testing.TB
	rule string
	make func(data []byte) (flag.Source, func([]byte), func())
}

func (k *sourceKit) fail(format string, args ...any) bool {
	k.t.Helper()
	k.t.Errorf("%s: %s", k.rule, fmt.Sprintf(format, args...))
	return false
}

// sourceDocuments are of several sizes, and have what careless readers lose.
func sourceDocuments() [][]byte {
	padded := func(n int) []byte {
		return fmt.Appendf(nil, `{"flags": {"a": {"description": %q}}}`, strings.Repeat("0123456789", n))
	}
	return [][]byte{
		padded(1), padded(30_000), []byte(`{"flags": {}}`), []byte("\r\n\t {\"flags\": {\"é\u2028😀\": {}}}\n\n"), padded(7), padded(1),
	}
}

// read wants one answer that is the document.
func (k *sourceKit) read(source flag.Source, want []byte) bool {
	k.t.Helper()
	got, err := source.Read(context.Background())
	if err != nil {
		return k.fail("Read fails: %v", err)
	}
	return bytes.Equal(got, want) || k.fail("Read returns %s, want %s", brief(got), brief(want))
}

// until reads until it gets the document; before that it may get the one before, or an
// error if the source was broken.
func (k *sourceKit) until(source flag.Source, before, want []byte, broken bool) bool {
	k.t.Helper()
	began := time.Now()
	for wait := time.Millisecond; ; wait = min(2*wait, sourceSoon) {
		got, err := source.Read(context.Background())
		switch {
		case err != nil && !broken:
			return k.fail("Read fails while another document is put: %v", err)
		case err == nil && bytes.Equal(got, want):
			return true
		case err == nil && (broken || !bytes.Equal(got, before)):
			return k.fail("Read returns %s, want %s", brief(got), brief(want))
		case time.Since(began) > sourceWaits && err != nil:
			return k.fail("Read still fails %v after the source was mended: %v", sourceWaits, err)
		case time.Since(began) > sourceWaits:
			return k.fail("Read returns the document before, %v after another was put", sourceWaits)
		}
		time.Sleep(wait)
	}
}

func (k *sourceKit) whole() {
	k.t.Helper()
	for _, data := range sourceDocuments() {
		source, _, _ := k.make(bytes.Clone(data))
		for range 3 {
			if !k.read(source, data) {
				return
			}
		}
	}
}

func (k *sourceKit) later() {
	k.t.Helper()
	all := sourceDocuments()
	source, put, _ := k.make(bytes.Clone(all[0]))
	if put == nil || !k.read(source, all[0]) {
		return
	}
	for i, data := range all[1:] {
		put(bytes.Clone(data))
		if !k.until(source, all[i], data, false) || !k.read(source, data) {
			return
		}
	}
}

func (k *sourceKit) owned() {
	k.t.Helper()
	all := sourceDocuments()
	source, put, _ := k.make(bytes.Clone(all[0]))
	last := all[0]
	for round := range 4 {
		got, err := source.Read(context.Background())
		if err != nil {
			k.fail("Read fails: %v", err)
			return
		}
		if !bytes.Equal(got, last) {
			k.fail("Read returns %s after what it had returned was changed, want %s", brief(got), brief(last))
			return
		}
		for i := range got {
			got[i] = 'x'
		}
		if round == 1 && put != nil {
			before := last
			last = all[1]
			given := bytes.Clone(last)
			put(given)
			if !k.until(source, before, last, false) {
				return
			}
			clear(given)
		}
	}
}

func (k *sourceKit) broken() {
	k.t.Helper()
	all := sourceDocuments()
	source, put, breakIt := k.make(bytes.Clone(all[0]))
	if breakIt == nil || put == nil || !k.read(source, all[0]) {
		return
	}
	for _, data := range [][]byte{all[1], all[1], all[2]} {
		breakIt()
		for range 3 {
			got, err := source.Read(context.Background())
			switch {
			case err == nil:
				k.fail("Read returns %s and no error from a source that is broken", brief(got))
				return
			case strings.TrimSpace(err.Error()) == "":
				k.fail("the error says nothing")
			case len(got) > 0:
				k.fail("Read returns %s beside the error %v", brief(got), err)
			}
		}
		put(bytes.Clone(data))
		if !k.until(source, nil, data, true) || !k.read(source, data) {
			return
		}
	}
}

func (k *sourceKit) context() {
	k.t.Helper()
	data := sourceDocuments()[0]
	source, _, _ := k.make(bytes.Clone(data))
	for _, over := range []func() (context.Context, context.CancelFunc){
		func() (context.Context, context.CancelFunc) { return context.WithCancel(context.Background()) },
		func() (context.Context, context.CancelFunc) {
			return context.WithDeadline(context.Background(), time.Now().Add(-time.Second))
		},
	} {
		ctx, cancel := over()
		cancel()
		answer := make(chan error, 1)
		go func() {
			_, err := source.Read(ctx)
			answer <- err
		}()
		timer := time.NewTimer(sourceSoon)
		select {
		case err := <-answer:
			timer.Stop()
			if !errors.Is(err, ctx.Err()) {
				k.fail("Read returns the error %v with a context that is over, want %v", err, ctx.Err())
				return
			}
		case <-timer.C:
			k.fail("Read has not returned %v after its context was over", sourceSoon)
			return
		}
	}
	k.read(source, data) // which harmed nothing
}

func (k *sourceKit) named() {
	k.t.Helper()
	data := sourceDocuments()[0]
	source, _, breakIt := k.make(bytes.Clone(data))
	s, ok := source.(fmt.Stringer)
	if !ok {
		return
	}
	name := s.String()
	if strings.TrimSpace(name) == "" || strings.ContainsAny(name, "\r\n") {
		k.fail("String returns %q, want a name in one line", name)
	}
	k.read(source, data)
	if breakIt != nil {
		breakIt()
		_, _ = source.Read(context.Background()) // it fails; see broken
	}
	if again := s.String(); again != name {
		k.fail("String returns %q, and %q before", again, name)
	}
}

// brief is a document as errors show it.
func brief(data []byte) string {
	const most = 60
	if len(data) <= most {
		return fmt.Sprintf("%q", data)
	}
	return fmt.Sprintf("%q... (%d bytes)", data[:most], len(data))
}
