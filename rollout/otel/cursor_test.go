package otel_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/rollout/otel"
)

// told is what OnProblem was told.
type told []string

func (l *told) problem(err error) { *l = append(*l, fmt.Sprint(err)) }

func (l told) String() string { return strings.Join(l, "; ") }

func TestCursors(t *testing.T) {
	records := journal(t)
	cursor := filepath.Join(t.TempDir(), "cursor")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(cursor, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("{}")
	var none told
	if err := run(t, records, tracetest.NewInMemoryExporter(), otel.Options{Cursor: cursor, OnProblem: none.problem}); !errors.Is(err, rollout.ErrInvalid) || none.String() != err.Error() {
		t.Errorf("a file that is none: got %v, want ErrInvalid; told %q", err, none)
	}
	write(`{"seq": 5, "sum": "of another"}`)
	to, other := tracetest.NewInMemoryExporter(), told{}
	if err := run(t, records, to, otel.Options{Cursor: cursor, OnProblem: other.problem}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(other.String(), "another one") || len(to.GetSpans()) == 0 {
		t.Errorf("of another journal's cursor: told %q, %d spans", other, len(to.GetSpans()))
	}
	to = tracetest.NewInMemoryExporter()
	last := records[len(records)-1]
	if err := run(t, records, to, otel.Options{Since: last.At.Add(time.Second)}); err != nil || len(to.GetSpans()) != 0 {
		t.Errorf("since the end: %v, %d spans, want none", err, len(to.GetSpans()))
	}
	write(`{"seq": 1, "sum": "x"}`)
	var gone told
	if err := run(t, records[5:], to, otel.Options{Cursor: cursor, OnProblem: gone.problem}); err != nil || !strings.Contains(gone.String(), "4 records are no longer") {
		t.Errorf("a journal whose oldest records are gone: %v, told %q", err, gone)
	}
}

// TestNewJournal has the cursor of a journal that was longer, as that of a Memory is after
// a restart: all of the new one is told.
func TestNewJournal(t *testing.T) {
	records := journal(t)
	cursor := filepath.Join(t.TempDir(), "cursor")
	if err := run(t, records, tracetest.NewInMemoryExporter(), otel.Options{Cursor: cursor}); err != nil {
		t.Fatal(err)
	}
	shorter := append([]rollout.Record(nil), records[:10]...)
	for i := range shorter {
		shorter[i].Sum = fmt.Sprint("new ", i)
		if i > 0 {
			shorter[i].Prev = shorter[i-1].Sum
		}
	}
	want, to := tracetest.NewInMemoryExporter(), tracetest.NewInMemoryExporter()
	if err := run(t, shorter, want, otel.Options{}); err != nil {
		t.Fatal(err)
	}
	var problems told
	if err := run(t, shorter, to, otel.Options{Cursor: cursor, OnProblem: problems.problem}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(problems.String(), "another one") {
		t.Errorf("told %q, want another journal", problems)
	}
	if diff := cmp.Diff(ids(want.GetSpans()), ids(to.GetSpans())); diff != "" {
		t.Error("want -, got +\n" + diff)
	}
}

// TestRotation goes on at a checkpoint, before which there are only records that were read
// and have ended no step: nothing is amiss. What is amiss later is told, too.
func TestRotation(t *testing.T) {
	whole := journal(t)
	live := whole[:5] // the last ends nothing
	checkpoint := rollout.Record{Seq: 6, Sum: "checkpoint", Prev: live[4].Sum, Kind: rollout.KindCheckpoint, Checkpoint: &rollout.Checkpoint{Live: live}}
	dir := t.TempDir()
	for n, want := range map[int]told{
		5: nil,
		4: {"1 records are no longer in the journal: what they told, if anything, is not told, but for what is not over", "spans cannot be flushed: no route", "<nil>"},
	} {
		cursor, to := filepath.Join(dir, fmt.Sprint(n)), tracetest.NewInMemoryExporter()
		if err := run(t, whole[:n], to, otel.Options{Cursor: cursor}); err != nil {
			t.Fatal(err)
		}
		next := whole[5]
		next.Seq, next.Prev = 7, checkpoint.Sum
		var got told
		synctest.Test(t, func(t *testing.T) {
			fails := len(want) > 0
			provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(to))
			err := otel.Run(t.Context(), of([]rollout.Record{checkpoint, next}), otel.Options{Tracers: provider, Cursor: cursor, OnProblem: got.problem, Flush: func(context.Context) error {
				if fails {
					fails = false
					return errors.New("no route")
				}
				return nil
			}})
			if err != nil {
				t.Fatal(err)
			}
		})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("read %d records: want -, got +\n%s", n, diff)
		}
	}
}

// TestCorrupt gives up only a journal that is corrupt twice in a row, and says so.
func TestCorrupt(t *testing.T) {
	records := journal(t)
	corrupt, away := rollout.ErrCorrupt, errors.New("away")
	tests := []struct {
		name   string
		passes []error // of each that ends with one after a record
		after  time.Duration
		fails  bool
	}{
		{"once", []error{corrupt}, 0, false},
		{"twice", []error{corrupt, corrupt}, 0, true},
		{"after something else", []error{away, away, corrupt}, 0, false},
		{"not in a row", []error{corrupt, away, corrupt}, 0, false},
		{"hours apart", []error{corrupt, corrupt, corrupt}, 5 * time.Hour, false}, // records that their writer took back
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pass := 0
				follow := func(ctx context.Context) iter.Seq2[rollout.Record, error] {
					if pass++; pass > len(tt.passes) {
						return of(records)(ctx)
					}
					return func(yield func(rollout.Record, error) bool) {
						if yield(records[0], nil) {
							time.Sleep(tt.after)
							yield(rollout.Record{}, tt.passes[pass-1])
						}
					}
				}
				var problems told
				err := otel.Run(t.Context(), follow, otel.Options{Tracers: sdktrace.NewTracerProvider(), OnProblem: problems.problem})
				if tt.fails != errors.Is(err, corrupt) {
					t.Errorf("got %v", err)
				}
				last := fmt.Sprint(err) // nil: that it is over
				if want := (told{tt.passes[0].Error(), last}); !cmp.Equal(want, problems) {
					t.Errorf("told %q, want %q", problems, want)
				}
			})
		})
	}
}

// TestNobodyMakesSpans has providers that make none, and wants them made by the next.
func TestNobodyMakesSpans(t *testing.T) {
	records := journal(t)
	shut := sdktrace.NewTracerProvider()
	if err := shut.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	all := tracetest.NewInMemoryExporter()
	if err := run(t, records, all, otel.Options{}); err != nil {
		t.Fatal(err)
	}
	for name, provider := range map[string]trace.TracerProvider{"no-op": noop.NewTracerProvider(), "shut down": shut, "not set": nil} {
		cursor, to := filepath.Join(t.TempDir(), "cursor"), tracetest.NewInMemoryExporter()
		ctx, cancel := context.WithCancel(t.Context())
		var problems told
		err := otel.Run(ctx, of(records), otel.Options{Tracers: provider, Cursor: cursor, OnProblem: func(err error) { problems.problem(err); cancel() }})
		if !errors.Is(err, context.Canceled) || !strings.Contains(problems.String(), "spans go nowhere") {
			t.Errorf("%s: %v, told %q", name, err, problems)
		}
		if err := run(t, records, to, otel.Options{Cursor: cursor}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(ids(all.GetSpans()), ids(to.GetSpans())); diff != "" {
			t.Errorf("%s: want -, got +\n%s", name, diff)
		}
	}
	never := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample()))
	if err := otel.Run(t.Context(), of(records), otel.Options{Tracers: never, OnProblem: func(err error) { t.Error(err) }}); err != nil {
		t.Error("a sampler that drops is the host's will:", err)
	}
}

// TestShutdownMeanwhile shuts the provider down in the middle: what it no longer made is
// made by the next.
func TestShutdownMeanwhile(t *testing.T) {
	records := journal(t)
	all, to := tracetest.NewInMemoryExporter(), tracetest.NewInMemoryExporter()
	if err := run(t, records, all, otel.Options{}); err != nil {
		t.Fatal(err)
	}
	cursor, provider := filepath.Join(t.TempDir(), "cursor"), sdk(to)
	ctx, cancel := context.WithCancel(t.Context())
	var got []string
	err := otel.Run(ctx, func(context.Context) iter.Seq2[rollout.Record, error] {
		return func(yield func(rollout.Record, error) bool) {
			for i, r := range records {
				if i == len(records)/2 {
					got = ids(to.GetSpans())
					_ = provider.Shutdown(t.Context())
				}
				if !yield(r, nil) {
					return
				}
			}
		}
	}, otel.Options{Tracers: provider, Flush: provider.ForceFlush, Cursor: cursor, OnProblem: func(error) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	to = tracetest.NewInMemoryExporter()
	if err := run(t, records, to, otel.Options{Cursor: cursor}); err != nil {
		t.Fatal(err)
	}
	got = append(got, ids(to.GetSpans())...)
	if len(got) != len(ids(all.GetSpans())) {
		t.Errorf("%d spans, want %d", len(got), len(all.GetSpans()))
	}
}
