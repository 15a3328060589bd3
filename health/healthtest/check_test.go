package healthtest_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/health/healthtest"
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
func (r *recorder) broken(t *testing.T) (rules []string) {
	t.Helper()
	for _, text := range r.errors {
		t.Log(strings.SplitN(text, "\n", 2)[0])
		rule, _, _ := strings.Cut(text, ":")
		rules = append(rules, rule)
	}
	return rules
}

// TestOwnProbes: those of package health keep the rules, whether there is an answer, none
// ever, or nobody.
func TestOwnProbes(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // the kernel accepts, and nobody answers
	require.NoError(t, err)
	defer silent.Close()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, gone.Close())
	server := httptest.NewServer(nil)
	defer server.Close()
	for name, address := range map[string]string{"answers": server.Listener.Addr().String(), "silent": silent.Addr().String(), "gone": gone.Addr().String()} {
		for kind, probe := range map[string]func() health.Probe{
			"HTTP": func() health.Probe { return health.HTTP("http://"+address+"/", health.HTTPOptions{}) },
			"HTTP, a pool": func() health.Probe {
				return health.HTTP("http://"+address+"/", health.HTTPOptions{Client: server.Client()})
			},
			"TCP": func() health.Probe { return health.TCP(address) },
			"TLS": func() health.Probe { return health.TLS(address, 0, nil) },
		} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				healthtest.TestCheck(t, func() health.Check {
					return health.Check{Name: "x", Probe: probe(), Timeout: 100 * time.Millisecond}
				})
			})
		}
	}
	for name, probe := range map[string]health.Probe{"bad HTTP": health.HTTP("http://bad host", health.HTTPOptions{}), "no HTTP": health.HTTP("", health.HTTPOptions{}), "DNS": health.DNS("localhost"), "disk": health.Disk(t.TempDir(), 1), "no disk": health.Disk("/no/such/place", 1)} {
		t.Run(name, func(t *testing.T) {
			healthtest.TestCheck(t, func() health.Check { return health.Check{Name: "x", Probe: probe, Needs: []string{"another"}} })
		})
	}
}

type silence struct{}

func (silence) Error() string { return "" }

type pointer struct{ text string }

func (p *pointer) Error() string { return p.text }

// oneAtATime heeds nothing and takes a while, and the others wait for it.
func oneAtATime(takes time.Duration) func(chan struct{}) health.Probe {
	return func(chan struct{}) health.Probe {
		turn := make(chan struct{}, 1) // a mutex would stop a bubble's clock
		return func(context.Context) error {
			turn <- struct{}{}
			defer func() { <-turn }()
			time.Sleep(takes)
			return nil
		}
	}
}

// TestBrokenChecks: each breaks one rule, and is found out. The machine's clock is left
// out, since it is in a bubble.
func TestBrokenChecks(t *testing.T) {
	for _, tt := range []struct {
		name  string
		probe func(release chan struct{}) health.Probe
		check health.Check
		want  []string
	}{
		{name: "fine", probe: func(chan struct{}) health.Probe { return func(context.Context) error { return nil } }},
		{name: "fine, and never answers", probe: func(chan struct{}) health.Probe {
			return func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		}},
		{name: "fine, and slow to give up", probe: func(chan struct{}) health.Probe {
			return func(ctx context.Context) error { <-ctx.Done(); time.Sleep(990 * time.Millisecond); return ctx.Err() }
		}},
		{name: "fine, and its goroutines end with it", probe: func(chan struct{}) health.Probe {
			return func(ctx context.Context) error {
				answer := make(chan error, 1)
				go func() { time.Sleep(time.Second); answer <- nil }()
				select {
				case <-ctx.Done():
					return ctx.Err()
				case err := <-answer:
					return err
				}
			}
		}},
		{name: "fine, and keeps some", probe: func(release chan struct{}) health.Probe {
			pool := make(chan struct{}, 10)
			return func(context.Context) error {
				select {
				case pool <- struct{}{}:
					go func() { <-release }()
				default:
				}
				return nil
			}
		}},
		{name: "late after its timeout", check: health.Check{Timeout: 300 * time.Millisecond}, probe: func(chan struct{}) health.Probe {
			return func(context.Context) error { time.Sleep(2 * time.Second); return nil }
		}, want: []string{"answer"}},
		{name: "late after it was cancelled", probe: func(chan struct{}) health.Probe { // and not after the usual timeout, of 2 s
			return func(context.Context) error { time.Sleep(2 * time.Second); return nil }
		}, want: []string{"cancel"}},
		{name: "one at a time, and none too late", probe: oneAtATime(10 * time.Millisecond)},
		{name: "one at a time, and the last too late", probe: oneAtATime(200 * time.Millisecond), want: []string{"concurrent"}},
		{name: "no probe", want: []string{"settings"}},
		{name: "no name", check: health.Check{Name: "-"}, probe: func(chan struct{}) health.Probe { return func(context.Context) error { return nil } }, want: []string{"settings"}},
		{name: "impossible", check: health.Check{Timeout: time.Hour}, probe: func(chan struct{}) health.Probe { return func(context.Context) error { return nil } }, want: []string{"settings"}},
		{name: "deaf", probe: func(release chan struct{}) health.Probe {
			return func(context.Context) error { <-release; return nil }
		}, want: []string{"answer"}},
		{name: "heeds deadlines only", probe: func(chan struct{}) health.Probe {
			return func(ctx context.Context) error {
				deadline, ok := ctx.Deadline()
				if !ok || time.Until(deadline) > time.Minute {
					deadline = time.Now().Add(time.Minute)
				}
				time.Sleep(time.Until(deadline))
				return errors.New("timeout")
			}
		}, want: []string{"cancel"}},
		{name: "deaf once its context is cancelled", probe: func(release chan struct{}) health.Probe {
			return func(ctx context.Context) error {
				if context.Cause(ctx) == context.Canceled {
					<-release
				}
				return nil
			}
		}, want: []string{"cancel"}},
		{name: "deadlock of two", probe: func(release chan struct{}) health.Probe {
			one := make(chan struct{}, 1)
			return func(ctx context.Context) error {
				select {
				case one <- struct{}{}:
				default:
					<-release // somebody else asks
					return nil
				}
				time.Sleep(time.Millisecond)
				<-one
				return nil
			}
		}, want: []string{"concurrent"}},
		{name: "panics", probe: func(chan struct{}) health.Probe { return func(context.Context) error { panic("no") } }, want: []string{"answer"}},
		{name: "panics when it is cancelled", probe: func(chan struct{}) health.Probe {
			return func(ctx context.Context) error {
				if context.Cause(ctx) == context.Canceled {
					panic("no")
				}
				return nil
			}
		}, want: []string{"answer"}},
		{name: "ends its goroutine", probe: func(chan struct{}) health.Probe {
			return func(context.Context) error { runtime.Goexit(); return nil }
		}, want: []string{"answer"}},
		{name: "an error that says nothing", probe: func(chan struct{}) health.Probe {
			return func(context.Context) error { return silence{} }
		}, want: []string{"answer"}},
		{name: "an error that panics", probe: func(chan struct{}) health.Probe {
			return func(context.Context) error { var none *pointer; return none }
		}, want: []string{"answer"}},
		{name: "leaves its goroutine behind", probe: func(release chan struct{}) health.Probe {
			return func(ctx context.Context) error {
				go func() { <-release }()
				return nil
			}
		}, want: []string{"goroutines"}},
		{name: "leaves one behind, and takes as long as it may", probe: func(release chan struct{}) health.Probe {
			return func(ctx context.Context) error {
				go func() { <-release }()
				<-ctx.Done()
				time.Sleep(990 * time.Millisecond)
				return nil
			}
		}, want: []string{"goroutines"}},
		{name: "leaves one behind when it is cancelled", probe: func(release chan struct{}) health.Probe {
			return func(ctx context.Context) error {
				answer := make(chan error)
				go func() {
					<-release
					select {
					case answer <- nil:
					case <-time.After(time.Minute):
					}
				}()
				select {
				case <-ctx.Done():
					return ctx.Err()
				case err := <-answer:
					return err
				}
			}
		}, want: []string{"goroutines"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release, r, began := make(chan struct{}), &recorder{}, time.Now()
				healthtest.TestCheck(r, func() health.Check {
					c := tt.check
					if c.Name = "x"; tt.check.Name == "-" {
						c.Name = ""
					}
					if tt.probe != nil {
						c.Probe = tt.probe(release)
					}
					return c
				})
				require.Equal(t, tt.want, r.broken(t))
				timeout := cmp.Or(tt.check.Timeout, 2*time.Second)
				require.LessOrEqual(t, time.Since(began), 15*time.Second+timeout)
				close(release)
				time.Sleep(10 * time.Minute)
			})
		})
	}
}
