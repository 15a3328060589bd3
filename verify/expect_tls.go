package verify

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"slices"
	"time"
)

// TLSExpiry wants the server's certificates to be good for some time to come: all
// of a chain that was verified, from the server's own to the root. If several
// chains were verified, the one that lasts longest counts. It needs an https URL;
// where none was verified it fails.
type TLSExpiry struct {
	Remaining time.Duration // the least that passes; 0: 14 days
}

const defaultRemaining = 14 * 24 * time.Hour

func (x TLSExpiry) remaining() time.Duration { return cmp.Or(x.Remaining, defaultRemaining) }

// String is "certificates good for 336h0m0s".
func (x TLSExpiry) String() string { return "certificates good for " + x.remaining().String() }

func (x TLSExpiry) compile(c *compiler, path string) check {
	if c.plain {
		c.add(path, "want an https URL, since nothing else has certificates")
	}
	if x.Remaining < 0 {
		c.add(path, "%v is negative", x.Remaining)
	}
	return check{look: func(e *exchanged, d *differences) {
		end, name, ok := expiry(e.TLS)
		want := "good for " + x.remaining().String()
		switch left := end.Sub(e.at); {
		case e.TLS == nil:
			d.add(KindTLS, "certificate", want, "none: the connection was not encrypted")
		case !ok:
			d.add(KindTLS, "certificate", want, "none that was verified")
		case left < x.remaining():
			d.add(KindTLS, "certificate", want, left.Round(time.Second).String()+": "+
				name+" ends at "+end.UTC().Format(time.RFC3339))
		}
	}}
}

// expiry returns when the verified chain that lasts longest ends, and which of its
// certificates ends it.
func expiry(state *tls.ConnectionState) (end time.Time, name string, ok bool) {
	if state == nil {
		return end, "", false
	}
	for _, chain := range state.VerifiedChains {
		if len(chain) == 0 {
			continue
		}
		first := slices.MinFunc(chain, func(a, b *x509.Certificate) int { return a.NotAfter.Compare(b.NotAfter) })
		if !ok || first.NotAfter.After(end) {
			end, name, ok = first.NotAfter, first.Subject.String(), true
		}
	}
	return end, name, ok
}
