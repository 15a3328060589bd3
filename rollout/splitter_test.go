package rollout_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/internal/bucket"
	"github.com/guidon-go/guidon/strategy"
	"github.com/guidon-go/guidon/strategy/split"
)

// ramped is a store with a flag at a ramp.
func ramped(t testing.TB, salt string, share strategy.Share) *flag.Store {
	t.Helper()
	definition := fmt.Sprintf(`{"flags": {"new-shop": {"salt": %q, "ramp": {"percent": %s}}}}`, salt, percent(t, share))
	store := flag.New(flag.Bytes([]byte(definition)), flag.Options{Strict: true})
	require.NoError(t, store.Load(t.Context()))
	return store
}

func percent(t testing.TB, share strategy.Share) []byte {
	text, err := share.MarshalJSON()
	require.NoError(t, err)
	return text
}

// halved is a splitter whose new version has a share of the users, and which says who got
// it.
func halved(t testing.TB, o split.Options, share strategy.Share) *split.Splitter {
	t.Helper()
	o.Unit = func(r *http.Request) string { return r.Header.Get("User") }
	answers := func(status int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
	}
	s, err := split.New(o, split.Backend{Name: "old", Handler: answers(http.StatusNoContent)}, split.Backend{Name: "new", Handler: answers(http.StatusCreated)})
	require.NoError(t, err)
	require.NoError(t, s.Prepare(t.Context(), "old", "new"))
	require.NoError(t, s.Shift(t.Context(), share))
	return s
}

// TestSplitterAgreesWithFlag: a splitter and a flag with its salt, made of its own and the
// new version's name, and the same share send everybody the same way, and name the same unit and slot.
func TestSplitterAgreesWithFlag(t *testing.T) {
	newShop := flag.ByKey("new-shop", false)
	for _, salt := range []string{"a", "shop-2026"} {
		for _, share := range []strategy.Share{0, 1, 1 * strategy.Percent, 33.333 * strategy.Percent, 50 * strategy.Percent, strategy.All - 1, strategy.All} {
			flags := ramped(t, salt+"/new", share)
			var told split.Outcome
			s := halved(t, split.Options{Salt: salt, Outcome: func(o split.Outcome) { told = o }}, share)
			for i := range 2000 {
				user := fmt.Sprint("user-", i)
				r := httptest.NewRequest("GET", "/", nil)
				r.Header.Set("User", user)
				s.ServeHTTP(httptest.NewRecorder(), r)
				d := newShop.DecideFrom(flags.View(flag.For(user)))
				require.Equal(t, d.Value, told.Backend == "new", "%s at %v", user, share)
				require.Equal(t, told.Slot, bucket.Slot(told.Unit, bucket.Lane(salt+"/new", bucket.Ramp)))
				if d.Reason == flag.ReasonRamp {
					require.Equal(t, []any{d.Unit, d.Slot, strategy.Share(d.Ramp)}, []any{told.Unit, told.Slot, told.Share})
				}
			}
		}
	}
}

// nowhere is a writer that costs nothing.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header         { return n.header }
func (n nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (n nowhere) WriteHeader(int)             {}

// BenchmarkSplitter is what a splitter adds to a request, beside one evaluation of a ramp
// by the key of its flag. The handler and the header that names the user are in "direct".
func BenchmarkSplitter(b *testing.B) {
	flags := ramped(b, "salt", 50*strategy.Percent)
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("User", "user-123456")
	var w http.ResponseWriter = nowhere{http.Header{}}
	subject := flag.For("user-123456")
	direct := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("User") != "" {
			w.WriteHeader(http.StatusNoContent)
		}
	})
	b.Run("flag by key", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			flag.ByKey("new-shop", false).Value(flags, &subject)
		}
	})
	b.Run("flag by key, subject built", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			subject := flag.For(r.Header.Get("User"))
			flag.ByKey("new-shop", false).Value(flags, &subject)
		}
	})
	for _, bb := range []struct {
		name    string
		handler http.Handler
	}{
		{"direct", direct},
		{"split", halved(b, split.Options{Salt: "salt"}, 50*strategy.Percent)},
		{"with outcomes", halved(b, split.Options{Salt: "salt", Outcome: func(split.Outcome) {}}, 50*strategy.Percent)},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				bb.handler.ServeHTTP(w, r)
			}
		})
		b.Run(bb.name+" parallel", func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					bb.handler.ServeHTTP(w, r)
				}
			})
		})
	}
}
