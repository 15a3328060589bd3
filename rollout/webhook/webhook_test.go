package webhook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/rollout/webhook"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// target does as it is told.
type target struct{ share strategy.Share }

func (x *target) Shift(_ context.Context, to strategy.Share) error {
	x.share = to
	return nil
}

func (x *target) Observe(context.Context) (strategy.Observation, error) {
	return strategy.Observation{Share: x.share}, nil
}

// deploy carries rollouts out on a journal, with two notices each.
func deploy(t *testing.T, journal rollout.Journal, ids ...string) {
	t.Helper()
	engine, err := rollout.New(journal, rollout.Options{Service: "shop", Environment: "production"})
	require.NoError(t, err)
	for _, id := range ids {
		_, err := engine.Deploy(t.Context(), rollout.Request{ID: id, Target: &target{}, Plan: strategy.Plan{Steps: []strategy.Step{strategy.Shift{To: strategy.All}, strategy.Promote{}}}})
		require.NoError(t, err)
	}
}

// once follows a journal as it is now.
func once(journal rollout.Journal) func(context.Context) iter.Seq2[rollout.Record, error] {
	return func(context.Context) iter.Seq2[rollout.Record, error] { return journal.Records() }
}

// ids are those of all notices of a journal, in order.
func ids(t *testing.T, journal rollout.Journal) (all []string) {
	t.Helper()
	for n, err := range rollout.Notices(journal.Records()) {
		require.NoError(t, err)
		all = append(all, n.ID)
	}
	return all
}

// receiver is one without a socket. It answers what answer says, and keeps the IDs of
// all that it was sent, and when, as of the first.
type receiver struct {
	t      *testing.T
	answer func(attempt int, r *http.Request) (*http.Response, error) // nil is always 204
	ids    []string
	at     []time.Duration
	first  time.Time
}

func (x *receiver) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	require.NoError(x.t, err)
	require.NoError(x.t, webhook.Verify(r.Header, body, time.Now(), vectorSecret), "each attempt is signed anew")
	if x.first.IsZero() {
		x.first = time.Now()
	}
	x.ids, x.at = append(x.ids, r.Header.Get("webhook-id")), append(x.at, time.Since(x.first))
	if x.answer == nil {
		return status(204), nil
	}
	return x.answer(len(x.ids), r)
}

func status(code int, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: code, Header: h, Body: http.NoBody}
}

func (x *receiver) options() webhook.Options {
	return webhook.Options{
		URL: "https://user:hush@receiver.example/hooks/hush?token=hush", Secrets: []webhook.Secret{vectorSecret},
		Client: &http.Client{Transport: x}, OnProblem: func(error) {},
	}
}

// TestPayload: what a receiver reads.
func TestPayload(t *testing.T) {
	journal := &rollout.Memory{}
	deploy(t, journal, "v1")
	var got []webhook.Payload
	x := &receiver{t: t}
	x.answer = func(_ int, r *http.Request) (*http.Response, error) {
		require.Equal(t, http.MethodPost, r.Method)
		require.Equal(t, "application/json", r.Header.Get("Content-Type"))
		require.Equal(t, "Bearer me", r.Header.Get("Authorization"))
		body, err := r.GetBody()
		require.NoError(t, err)
		var p webhook.Payload
		require.NoError(t, json.NewDecoder(body).Decode(&p))
		got = append(got, p)
		return status(200), nil
	}
	o := x.options()
	o.Header = http.Header{"Authorization": {"Bearer me"}}
	require.NoError(t, webhook.Run(t.Context(), once(journal), o))
	require.Equal(t, ids(t, journal), x.ids)
	require.Len(t, got, 2)
	require.Equal(t, []string{"rollout.began", "rollout.over"}, []string{got[0].Type, got[1].Type})
	require.Equal(t, "v1 in production is over, succeeded: every step was taken and no judge saw harm", got[1].Text)
	require.Equal(t, got[1].Timestamp, got[1].Data.At)
	require.Equal(t, rollout.Succeeded, got[1].Data.Outcome)
	require.NotContains(t, x.ids[0], ".", "an ID must not end early")
}

// TestCrashes: at whichever attempt the process dies, before the receiver has it or
// after, everything arrives at least once, in order, and nothing twice but that.
func TestCrashes(t *testing.T) {
	journal := &rollout.Memory{}
	deploy(t, journal, "v1", "v2", "v3")
	all := ids(t, journal)
	for crash := 1; crash <= len(all)+1; crash++ {
		for _, arrived := range []bool{false, true} {
			path := filepath.Join(t.TempDir(), "cursor")
			var got []string
			ctx, die := context.WithCancel(t.Context())
			x := &receiver{t: t, answer: func(attempt int, r *http.Request) (*http.Response, error) {
				if attempt == crash {
					die()
				}
				if attempt < crash || arrived {
					got = append(got, r.Header.Get("webhook-id"))
				}
				return status(200), r.Context().Err()
			}}
			o := x.options()
			o.Cursor = path
			err := webhook.Run(ctx, once(journal), o)
			if crash <= len(all) {
				require.ErrorIs(t, err, context.Canceled)
			} else {
				require.NoError(t, err)
			}
			die()
			again := &receiver{t: t}
			o = again.options()
			o.Cursor = path
			require.NoError(t, webhook.Run(t.Context(), once(journal), o))
			got = append(got, again.ids...)
			want := append([]string(nil), all...)
			if arrived && crash <= len(all) {
				want = append(want[:crash], all[crash-1:]...)
			}
			require.Equal(t, want, got, "dies at attempt %d", crash)
		}
	}
}

// TestBackoff: ever longer, up to Pause, and at random; what the receiver asks for
// counts, up to an hour; nothing overtakes what waits.
func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal := &rollout.Memory{}
		deploy(t, journal, "v1")
		var told []string
		asked := map[int]string{8: "120", 9: time.Now().Add(30 * time.Minute).UTC().Format(http.TimeFormat), 10: "86400", 11: "soon", 12: "-1"}
		x := &receiver{t: t, answer: func(attempt int, _ *http.Request) (*http.Response, error) {
			if attempt == 3 {
				return nil, errors.New("connection reset")
			}
			if attempt < 14 {
				return status(503, "Retry-After", asked[attempt]), nil
			}
			return status(200), nil
		}}
		o := x.options()
		o.Pause = 30 * time.Second
		o.OnProblem = func(err error) { told = append(told, fmt.Sprint(err)) }
		require.NoError(t, webhook.Run(t.Context(), once(journal), o))
		for i, most := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
			most *= time.Second
			pause := x.at[i+1] - x.at[i]
			require.LessOrEqual(t, pause, most)
			require.GreaterOrEqual(t, pause, most/2)
		}
		require.Equal(t, 2*time.Minute, x.at[8]-x.at[7])
		require.Greater(t, x.at[9]-x.at[8], 20*time.Minute)
		require.Less(t, x.at[9]-x.at[8], 30*time.Minute)
		require.Equal(t, time.Hour, x.at[10]-x.at[9])
		require.LessOrEqual(t, x.at[11]-x.at[10], 30*time.Second)
		all := ids(t, journal)
		for _, id := range x.ids[:14] {
			require.Equal(t, all[0], id)
		}
		require.Equal(t, all[1], x.ids[14])
		require.Equal(t, []string{"rollout: webhook https://receiver.example: found status 503, want 2xx", "<nil>"}, told)
	})
}

// TestNothingIsOpen: while it waits to send something again, nobody reads the journal.
func TestNothingIsOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal, open := &rollout.Memory{}, false
		deploy(t, journal, "v1", "v2")
		x := &receiver{t: t, answer: func(attempt int, _ *http.Request) (*http.Response, error) {
			switch attempt {
			case 2:
				return status(500), nil
			case 3:
				require.False(t, open)
			}
			return status(200), nil
		}}
		follow := func(context.Context) iter.Seq2[rollout.Record, error] {
			return func(yield func(rollout.Record, error) bool) {
				open = true
				defer func() { open = false }()
				for r, err := range journal.Records() {
					if !yield(r, err) {
						return
					}
				}
			}
		}
		require.NoError(t, webhook.Run(t.Context(), follow, x.options()))
		all := ids(t, journal)
		require.Equal(t, []string{all[0], all[1], all[1], all[2], all[3]}, x.ids)
	})
}

// TestTimeout: a receiver that never answers has its time.
func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal := &rollout.Memory{}
		deploy(t, journal, "v1")
		x := &receiver{t: t, answer: func(attempt int, r *http.Request) (*http.Response, error) {
			if attempt == 1 {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			return status(200), nil
		}}
		require.NoError(t, webhook.Run(t.Context(), once(journal), x.options()))
		require.GreaterOrEqual(t, x.at[1], 20*time.Second)
		require.LessOrEqual(t, x.at[1], 21*time.Second)
	})
}

// TestGiveUp: only if asked to, and then it says so and goes on with the next.
func TestGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal := &rollout.Memory{}
		deploy(t, journal, "v1")
		all := ids(t, journal)
		var told []string
		x := &receiver{t: t, answer: func(_ int, r *http.Request) (*http.Response, error) {
			if r.Header.Get("webhook-id") == all[0] {
				return status(400), nil
			}
			return status(200), nil
		}}
		o := x.options()
		o.GiveUp = time.Hour
		o.OnProblem = func(err error) { told = append(told, fmt.Sprint(err)) }
		require.NoError(t, webhook.Run(t.Context(), once(journal), o))
		last := len(x.ids) - 1
		require.Equal(t, all[1], x.ids[last])
		require.GreaterOrEqual(t, x.at[last], time.Hour)
		require.Less(t, x.at[last], time.Hour+6*time.Minute)
		require.Len(t, told, 3)
		require.Contains(t, told[1], "of rollout v1 is given up: found status 400, want 2xx")
		require.Equal(t, "<nil>", told[2])

		x = &receiver{t: t, answer: func(int, *http.Request) (*http.Response, error) { return status(400), nil }}
		ctx, cancel := context.WithTimeout(t.Context(), 7*24*time.Hour)
		defer cancel()
		require.ErrorIs(t, webhook.Run(ctx, once(journal), x.options()), context.DeadlineExceeded)
		require.Greater(t, len(x.ids), 7*24*10)
	})
}

// TestGone: a receiver that wants nothing more gets nothing more.
func TestGone(t *testing.T) {
	journal := &rollout.Memory{}
	deploy(t, journal, "v1")
	x := &receiver{t: t, answer: func(int, *http.Request) (*http.Response, error) { return status(410), nil }}
	require.ErrorIs(t, webhook.Run(t.Context(), once(journal), x.options()), webhook.ErrGone)
	require.Len(t, x.ids, 1)
}

// TestWants: what nobody wants, and what is older than Since without a cursor, is not
// sent.
func TestWants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal := &rollout.Memory{}
		deploy(t, journal, "v1")
		time.Sleep(time.Hour)
		since := time.Now()
		deploy(t, journal, "v2")
		all := ids(t, journal)
		x := &receiver{t: t}
		o := x.options()
		o.Since = since
		require.NoError(t, webhook.Run(t.Context(), once(journal), o))
		require.Equal(t, all[2:], x.ids)
		x = &receiver{t: t}
		o = x.options()
		o.Wants = func(n rollout.Notice) bool { return n.Kind == rollout.NoticeOver }
		require.NoError(t, webhook.Run(t.Context(), once(journal), o))
		require.Equal(t, []string{all[1], all[3]}, x.ids)
	})
}

// TestJournalTrouble: what may heal is read again from the start, and sends nothing
// twice; what never does is an error.
func TestJournalTrouble(t *testing.T) {
	tests := []struct {
		name  string
		err   error
		times int
		want  error
	}{
		{"a disk that comes back", errors.New("input/output error"), 3, nil},
		{"corrupt once", rollout.ErrCorrupt, 1, nil},
		{"corrupt", rollout.ErrCorrupt, 2, rollout.ErrCorrupt},
		{"of a later release", rollout.ErrVersion, 1, rollout.ErrVersion},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				journal, reads := &rollout.Memory{}, 0
				deploy(t, journal, "v1", "v2")
				x := &receiver{t: t}
				follow := func(context.Context) iter.Seq2[rollout.Record, error] {
					reads++
					return func(yield func(rollout.Record, error) bool) {
						for r := range journal.Records() {
							if reads <= tt.times && r.Seq == 4 {
								yield(rollout.Record{}, tt.err)
								return
							}
							if !yield(r, nil) {
								return
							}
						}
					}
				}
				err := webhook.Run(t.Context(), follow, x.options())
				if tt.want != nil {
					require.ErrorIs(t, err, tt.want)
					return
				}
				require.NoError(t, err)
				require.Equal(t, ids(t, journal), x.ids)
			})
		})
	}
}

// TestTakenBack: a record that was sent and has another one in its place later, because
// its writer could not keep it, is followed by that, and nothing else is sent again.
func TestTakenBack(t *testing.T) {
	journal, before := &rollout.Memory{}, &rollout.Memory{}
	deploy(t, journal, "v1", "v2")
	want := ids(t, journal)
	for r := range journal.Records() {
		if r.Rollout == "v2" && r.Kind != rollout.KindRequested {
			break
		}
		if r.Rollout == "v2" {
			r.Reason = "of another try"
		}
		_, err := before.Append(t.Context(), r)
		require.NoError(t, err)
	}
	x := &receiver{t: t}
	o := x.options()
	o.Cursor = filepath.Join(t.TempDir(), "cursor")
	o.OnProblem = func(err error) { require.NoError(t, err) }
	require.NoError(t, webhook.Run(t.Context(), once(before), o))
	require.NotEqual(t, want[2], x.ids[2])
	x.ids = nil
	require.NoError(t, webhook.Run(t.Context(), once(journal), o))
	require.Equal(t, want[2:], x.ids)
}

// TestOtherJournal: with a cursor of another journal everything is sent, and OnProblem is
// told, whether that is longer or shorter, and wherever they part.
func TestOtherJournal(t *testing.T) {
	whole, short, long := &rollout.Memory{}, &rollout.Memory{}, &rollout.Memory{}
	deploy(t, whole, "v1", "v2", "v3")
	deploy(t, short, "v4")
	deploy(t, long, "v1", "v2", "v3", "v4", "v5")
	restored := &rollout.Memory{}
	for r := range whole.Records() {
		if r.Rollout == "v1" {
			_, err := restored.Append(t.Context(), r)
			require.NoError(t, err)
		}
	}
	deploy(t, restored, "v4", "v5", "v6")
	for name, journal := range map[string]*rollout.Memory{"short": short, "long": long, "restored from a backup": restored} {
		t.Run(name, func(t *testing.T) {
			x := &receiver{t: t}
			var told []string
			o := x.options()
			o.Cursor = filepath.Join(t.TempDir(), "cursor")
			o.OnProblem = func(err error) { told = append(told, fmt.Sprint(err)) }
			require.NoError(t, webhook.Run(t.Context(), once(whole), o))
			require.Empty(t, told)
			x.ids = nil
			require.NoError(t, webhook.Run(t.Context(), once(journal), o))
			require.Subset(t, x.ids, ids(t, journal))
			require.Len(t, told, 2)
			require.Contains(t, told[0], "the journal is another one than the cursor's")
			require.Equal(t, "<nil>", told[1])
			x.ids = nil
			require.NoError(t, webhook.Run(t.Context(), once(journal), o))
			require.Empty(t, x.ids)
			require.Len(t, told, 2)
		})
	}
}

// TestMovedAway: OnProblem is told of records that are gone and were not read, and of no
// others, and that once.
func TestMovedAway(t *testing.T) {
	dir := t.TempDir()
	journal, err := rollout.FileOptions{SegmentSize: 1}.Open(dir)
	require.NoError(t, err)
	defer journal.Close()
	var told []string
	x := &receiver{t: t}
	o := x.options()
	o.Cursor = filepath.Join(dir, "webhook.json")
	o.OnProblem = func(err error) { told = append(told, fmt.Sprint(err)) }
	o.Wants = func(n rollout.Notice) bool { return n.Kind == rollout.NoticeBegan }
	run := func() int {
		x.ids = nil
		require.NoError(t, webhook.Run(t.Context(), once(journal), o))
		return len(x.ids)
	}
	moveAway := func() {
		old, err := filepath.Glob(filepath.Join(dir, "journal-*.jsonl"))
		require.NoError(t, err)
		for _, name := range old {
			require.NoError(t, os.Remove(name))
		}
	}
	deploy(t, journal, "v1", "v2")
	require.Equal(t, 2, run())
	moveAway()
	require.Zero(t, run())
	require.Empty(t, told, "all of it was read")
	deploy(t, journal, "v3", "v4", "v5")
	moveAway()
	require.Less(t, run(), 3)
	require.Regexp(t, `records \d+ to \d+ are no longer in the journal`, told[0])
	require.Equal(t, []string{"<nil>"}, told[1:])
	require.Zero(t, run())
	deploy(t, journal, "v6")
	require.Equal(t, 1, run())
	require.Len(t, told, 2)
}

// TestEachProblem: one that lasts hides no other.
func TestEachProblem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal := &rollout.Memory{}
		deploy(t, journal, "v1", "v2")
		x := &receiver{t: t, answer: func(attempt int, _ *http.Request) (*http.Response, error) {
			return status(map[bool]int{true: 500, false: 204}[attempt%3 > 0]), nil
		}}
		var told []string
		o := x.options()
		o.Cursor = filepath.Join(t.TempDir(), "missing", "cursor")
		o.OnProblem = func(err error) {
			_, what, _ := strings.Cut(fmt.Sprint(err), "receiver.example: ")
			told = append(told, strings.SplitN(what, ":", 2)[0])
		}
		require.NoError(t, webhook.Run(t.Context(), once(journal), o))
		no := "found status 500, want 2xx"
		require.Equal(t, []string{no, "the cursor cannot be written", no, no, no}, told, "each outage, and the cursor once")
	})
}

// TestGiveUpComesFirst: also before the time that a receiver asks for.
func TestGiveUpComesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal, gone := &rollout.Memory{}, 0
		deploy(t, journal, "v1")
		x := &receiver{t: t, answer: func(int, *http.Request) (*http.Response, error) { return status(503, "Retry-After", "3600"), nil }}
		o := x.options()
		o.GiveUp = time.Minute
		o.OnProblem = func(err error) {
			if strings.Contains(err.Error(), "given up") {
				gone++
			}
		}
		began := time.Now()
		require.NoError(t, webhook.Run(t.Context(), once(journal), o))
		require.Equal(t, 2*time.Minute, time.Since(began))
		require.Equal(t, 2, gone)
		require.Len(t, x.ids, 2)
	})
}

// TestBadOptions: everything that is wrong, at once, and nothing that may be secret.
func TestBadOptions(t *testing.T) {
	journal := &rollout.Memory{}
	for _, tt := range []struct {
		url  string
		want string
	}{
		{"ftp://user:hush@x/hush", `URL: found scheme "ftp" and host "x", want http or https, and a host`},
		{"http://user:hush@x:y/%zz", "URL: found none, want http or https, and a host"},
	} {
		err := webhook.Run(t.Context(), once(journal), webhook.Options{URL: tt.url, Timeout: -1, Secrets: []webhook.Secret{"hush!"}})
		require.ErrorIs(t, err, rollout.ErrInvalid)
		require.ErrorContains(t, err, tt.want)
		require.ErrorContains(t, err, "timeout, pause, give up: found -1ns, 0s and 0s")
		require.ErrorContains(t, err, "secrets[0]: found no base64")
		require.NotContains(t, err.Error(), "hush")
	}
	path := filepath.Join(t.TempDir(), "cursor")
	require.NoError(t, os.WriteFile(path, []byte("half"), 0o600))
	x := &receiver{t: t}
	o := x.options()
	o.Cursor = path
	err := webhook.Run(t.Context(), once(journal), o)
	require.ErrorIs(t, err, rollout.ErrInvalid)
	require.ErrorContains(t, err, "is not a cursor")
}

// TestCursorCannotBeWritten: that is told, and everything is sent all the same.
func TestCursorCannotBeWritten(t *testing.T) {
	journal := &rollout.Memory{}
	deploy(t, journal, "v1")
	x := &receiver{t: t}
	var told bytes.Buffer
	o := x.options()
	o.Cursor = filepath.Join(t.TempDir(), "missing", "cursor")
	o.OnProblem = func(err error) { fmt.Fprintln(&told, err) }
	require.NoError(t, webhook.Run(t.Context(), once(journal), o))
	require.Equal(t, ids(t, journal), x.ids)
	require.Equal(t, 1, strings.Count(told.String(), "\n"))
	require.Contains(t, told.String(), "the cursor cannot be written")
}

// TestProblemsShowNoSecrets: of the URL, no more than scheme and host.
func TestProblemsShowNoSecrets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal := &rollout.Memory{}
		deploy(t, journal, "v1")
		x := &receiver{t: t, answer: func(int, *http.Request) (*http.Response, error) { return nil, errors.New("connection reset") }}
		ctx, stop := context.WithCancel(t.Context())
		o := x.options()
		o.OnProblem = func(err error) {
			require.EqualError(t, err, "rollout: webhook https://receiver.example: connection reset")
			stop()
		}
		require.ErrorIs(t, webhook.Run(ctx, once(journal), o), context.Canceled)
	})
}
