package rollouttest_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/rollout/rollouttest"
)

// recorder is a test that may fail.
type recorder struct {
	mu     sync.Mutex
	errors []string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

// broken are the rules that were, each once.
func (r *recorder) broken() (rules []string) {
	seen := map[string]bool{}
	for _, text := range r.errors {
		rule, _, _ := strings.Cut(text, ":")
		if !seen[rule] {
			seen[rule] = true
			rules = append(rules, rule)
		}
	}
	return rules
}

// plain is a journal that is no Checkpointer, and breaks some rules.
type plain struct {
	rollout.Journal
	append  func(ctx context.Context, r rollout.Record) (rollout.Record, error)
	records func() iter.Seq2[rollout.Record, error]
	close   func() error
}

func (p *plain) Append(ctx context.Context, r rollout.Record) (rollout.Record, error) {
	if p.append != nil {
		return p.append(ctx, r)
	}
	return p.Journal.Append(ctx, r)
}

func (p *plain) Records() iter.Seq2[rollout.Record, error] {
	if p.records != nil {
		return p.records()
	}
	return p.Journal.Records()
}

func (p *plain) Close() error {
	if p.close != nil {
		return p.close()
	}
	return nil
}

// marking breaks what is said of checkpoints.
type marking struct {
	*rollout.Memory
	checkpoint func(m *rollout.Memory, ctx context.Context, r rollout.Record) (rollout.Record, error)
	append     func(m *rollout.Memory, ctx context.Context, r rollout.Record) (rollout.Record, error)
	recent     func(m *rollout.Memory) iter.Seq2[rollout.Record, error]
}

func (j *marking) Append(ctx context.Context, r rollout.Record) (rollout.Record, error) {
	if j.append != nil {
		return j.append(j.Memory, ctx, r)
	}
	return j.Memory.Append(ctx, r)
}

func (j *marking) Checkpoint(ctx context.Context, r rollout.Record) (rollout.Record, error) {
	if j.checkpoint != nil {
		return j.checkpoint(j.Memory, ctx, r)
	}
	return j.Memory.Checkpoint(ctx, r)
}

func (j *marking) Recent() iter.Seq2[rollout.Record, error] {
	if j.recent != nil {
		return j.recent(j.Memory)
	}
	return j.Memory.Recent()
}

func list(j rollout.Journal) (all []rollout.Record) {
	for r := range j.Records() {
		all = append(all, r)
	}
	return all
}

func of(all []rollout.Record) iter.Seq2[rollout.Record, error] {
	return func(yield func(rollout.Record, error) bool) {
		for _, r := range all {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// one opens the same journal each time.
func one(make func(m *rollout.Memory) rollout.Journal) func() func() (rollout.Journal, error) {
	return func() func() (rollout.Journal, error) {
		j := make(&rollout.Memory{})
		return func() (rollout.Journal, error) { return j, nil }
	}
}

// TestBrokenJournals: each breaks some rules, and is found out.
func TestBrokenJournals(t *testing.T) {
	full := errors.New("full")
	for _, tt := range []struct {
		name  string
		place func() func() (rollout.Journal, error)
		want  []string
	}{
		{name: "fine", place: one(func(m *rollout.Memory) rollout.Journal { return &plain{Journal: m} })},
		{name: "fine, with checkpoints", place: one(func(m *rollout.Memory) rollout.Journal { return m })},
		{name: "does not open", place: func() func() (rollout.Journal, error) {
			return func() (rollout.Journal, error) { return nil, full }
		}, want: []string{"order", "seal", "snapshot", "concurrent", "context", "reopen", "writer", "checkpoint"}},
		{name: "takes nothing", place: one(func(m *rollout.Memory) rollout.Journal {
			return &plain{Journal: m, append: func(ctx context.Context, r rollout.Record) (rollout.Record, error) {
				return r, errors.Join(full, ctx.Err())
			}}
		}), want: []string{"order", "seal", "snapshot", "concurrent", "reopen", "writer"}},
		{name: "newest first", place: one(func(m *rollout.Memory) rollout.Journal {
			return &plain{Journal: m, records: func() iter.Seq2[rollout.Record, error] {
				all := list(m)
				for i := range len(all) / 2 {
					all[i], all[len(all)-1-i] = all[len(all)-1-i], all[i]
				}
				return of(all)
			}}
		}), want: []string{"order", "snapshot", "concurrent", "reopen"}},
		{name: "forgets the last", place: one(func(m *rollout.Memory) rollout.Journal {
			return &plain{Journal: m, records: func() iter.Seq2[rollout.Record, error] {
				all := list(m)
				return of(all[:max(len(all)-1, 0)])
			}}
		}), want: []string{"order", "snapshot", "concurrent", "reopen"}},
		{name: "returns what it was given", place: one(func(m *rollout.Memory) rollout.Journal {
			return &plain{Journal: m, append: func(ctx context.Context, r rollout.Record) (rollout.Record, error) {
				_, err := m.Append(ctx, r)
				return r, err
			}}
		}), want: []string{"order", "seal", "snapshot", "reopen"}},
		{name: "changes what it was given", place: one(func(m *rollout.Memory) rollout.Journal {
			return &plain{Journal: m, append: func(ctx context.Context, r rollout.Record) (rollout.Record, error) {
				r.Reason = strings.ToValidUTF8(strings.TrimSpace(r.Reason), "")[:1]
				return m.Append(ctx, r)
			}}
		}), want: []string{"seal"}},
		{name: "readers see what comes later", place: one(func(m *rollout.Memory) rollout.Journal {
			return &plain{Journal: m, records: func() iter.Seq2[rollout.Record, error] {
				return func(yield func(rollout.Record, error) bool) {
					for i := 0; i < len(list(m)); i++ {
						if !yield(list(m)[i], nil) {
							return
						}
					}
				}
			}}
		}), want: []string{"snapshot"}},
		{name: "goes on after a reader has had enough", place: one(func(m *rollout.Memory) rollout.Journal {
			return &plain{Journal: m, records: func() iter.Seq2[rollout.Record, error] {
				return func(yield func(rollout.Record, error) bool) {
					if len(list(m)) > 0 {
						yield(rollout.Record{}, full)
					}
				}
			}}
		}), want: []string{"order", "snapshot", "concurrent", "reopen"}},
		{name: "looks where it is and writes later", place: one(func(m *rollout.Memory) rollout.Journal {
			var mu sync.Mutex
			var all []rollout.Record
			copied := func() []rollout.Record {
				mu.Lock()
				defer mu.Unlock()
				return append([]rollout.Record(nil), all...)
			}
			return &plain{Journal: m, append: func(ctx context.Context, r rollout.Record) (rollout.Record, error) {
				if err := ctx.Err(); err != nil {
					return r, err
				}
				before := &rollout.Memory{}
				for _, old := range copied() {
					if _, err := before.Append(ctx, old); err != nil {
						return r, err
					}
				}
				time.Sleep(time.Millisecond) // in a bubble
				r, err := before.Append(ctx, r)
				mu.Lock()
				defer mu.Unlock()
				all = append(all, r)
				return r, err
			}, records: func() iter.Seq2[rollout.Record, error] { return of(copied()) }}
		}), want: []string{"concurrent"}},
		{name: "heeds no context", place: one(func(m *rollout.Memory) rollout.Journal {
			return &plain{Journal: m, append: func(_ context.Context, r rollout.Record) (rollout.Record, error) {
				return m.Append(context.Background(), r)
			}}
		}), want: []string{"context"}},
		{name: "writes, and then heeds its context", place: one(func(m *rollout.Memory) rollout.Journal {
			return &plain{Journal: m, append: func(ctx context.Context, r rollout.Record) (rollout.Record, error) {
				r, err := m.Append(context.Background(), r)
				return r, errors.Join(err, ctx.Err())
			}}
		}), want: []string{"context"}},
		{name: "a new one each time", place: func() func() (rollout.Journal, error) {
			return func() (rollout.Journal, error) { return &plain{Journal: &rollout.Memory{}}, nil }
		}, want: []string{"reopen", "writer"}},
		{name: "any number of writers", place: func() func() (rollout.Journal, error) {
			m := &rollout.Memory{}
			return func() (rollout.Journal, error) { return &plain{Journal: m}, nil }
		}, want: []string{"writer"}},
		{name: "locked, and does not say so", place: func() func() (rollout.Journal, error) {
			m, open := &rollout.Memory{}, false
			return func() (rollout.Journal, error) {
				if open {
					return nil, full
				}
				open = true
				return &plain{Journal: m, close: func() error { open = false; return nil }}, nil
			}
		}, want: []string{"writer"}},
		{name: "fenced once", place: func() func() (rollout.Journal, error) {
			m, newest := &rollout.Memory{}, 0
			return func() (rollout.Journal, error) {
				newest++
				mine, told := newest, false
				return &plain{Journal: m, append: func(ctx context.Context, r rollout.Record) (rollout.Record, error) {
					if mine != newest && !told {
						told = true
						return r, rollout.ErrFenced
					}
					return m.Append(ctx, r)
				}}, nil
			}
		}, want: []string{"writer"}},
		{name: "fine, and the newest takes over", place: func() func() (rollout.Journal, error) {
			m, newest := &rollout.Memory{}, 0
			return func() (rollout.Journal, error) {
				newest++
				mine := newest
				return &plain{Journal: m, append: func(ctx context.Context, r rollout.Record) (rollout.Record, error) {
					if mine != newest {
						return r, rollout.ErrFenced
					}
					return m.Append(ctx, r)
				}}, nil
			}
		}},
		{name: "does not close", place: one(func(m *rollout.Memory) rollout.Journal {
			return &plain{Journal: m, close: func() error { return full }}
		}), want: []string{"order", "seal", "snapshot", "concurrent", "context", "reopen", "writer", "checkpoint"}},
		{name: "checkpoints anywhere", place: one(func(m *rollout.Memory) rollout.Journal {
			return &marking{Memory: m, checkpoint: func(m *rollout.Memory, ctx context.Context, r rollout.Record) (rollout.Record, error) {
				r.Seq = 0
				return m.Checkpoint(ctx, r)
			}}
		}), want: []string{"checkpoint"}},
		{name: "checkpoints that are none", place: one(func(m *rollout.Memory) rollout.Journal {
			return &marking{Memory: m, checkpoint: func(m *rollout.Memory, ctx context.Context, r rollout.Record) (rollout.Record, error) {
				if r.Kind != rollout.KindCheckpoint {
					return m.Append(ctx, r)
				}
				return m.Checkpoint(ctx, r)
			}}
		}), want: []string{"checkpoint"}},
		{name: "checkpoints whatever the context", place: one(func(m *rollout.Memory) rollout.Journal {
			return &marking{Memory: m, checkpoint: func(m *rollout.Memory, _ context.Context, r rollout.Record) (rollout.Record, error) {
				return m.Checkpoint(context.Background(), r)
			}}
		}), want: []string{"checkpoint"}},
		{name: "appends checkpoints", place: one(func(m *rollout.Memory) rollout.Journal {
			return &marking{Memory: m, append: func(m *rollout.Memory, ctx context.Context, r rollout.Record) (rollout.Record, error) {
				if r.Kind == rollout.KindCheckpoint {
					return m.Checkpoint(ctx, r)
				}
				return m.Append(ctx, r)
			}}
		}), want: []string{"checkpoint"}},
		{name: "everything is recent", place: one(func(m *rollout.Memory) rollout.Journal {
			return &marking{Memory: m, recent: (*rollout.Memory).Records}
		}), want: []string{"checkpoint"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &recorder{}
				rollouttest.TestJournal(r, tt.place)
				for _, text := range r.errors {
					t.Log(text)
				}
				require.Equal(t, tt.want, r.broken())
			})
		})
	}
}
