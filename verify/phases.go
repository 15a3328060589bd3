package verify

import (
	"context"
	"crypto/tls"
	"net/http/httptrace"
	"strings"
	"sync"
	"time"
)

// Phases say where the time of one attempt went. What there was none of is 0, as
// are all but FirstByte against a Handler. The whole is [Result.ResponseTime].
// Where redirects were followed, DNS, Connect and TLS are the sums of all
// connections, and FirstByte is that of the last answer. All are measured by the
// monotonic clock.
type Phases struct {
	DNS       time.Duration `json:"dns,omitempty"`        // to find the addresses
	Connect   time.Duration `json:"connect,omitempty"`    // from the first dial until one was answered, or the last was given up
	TLS       time.Duration `json:"tls,omitempty"`        // of the handshake
	FirstByte time.Duration `json:"first_byte,omitempty"` // from the start of the attempt to the first byte of the answer
}

// String is "DNS 1ms, connect 2ms, TLS 10ms, first byte 20ms", without what took
// no time worth telling.
func (p Phases) String() string {
	var list []string
	for _, phase := range []struct {
		name string
		took time.Duration
	}{{"DNS", p.DNS}, {"connect", p.Connect}, {"TLS", p.TLS}, {"first byte", p.FirstByte}} {
		if took := short(phase.took); took > 0 {
			list = append(list, phase.name+" "+took.String())
		}
	}
	return strings.Join(list, ", ")
}

func (p Phases) plus(q Phases) Phases {
	p.DNS += q.DNS
	p.Connect += q.Connect
	p.TLS += q.TLS
	if q.FirstByte > 0 {
		p.FirstByte = q.FirstByte
	}
	return p
}

// clock measures the phases of one exchange. Addresses may be dialed side by side,
// and dialing may go on for a moment after the exchange has failed.
type clock struct {
	start time.Time // of the attempt

	mu                sync.Mutex
	dns, connect, tls time.Time // guarded by mu: when they began
	connected         bool      // guarded by mu
	stopped           bool      // guarded by mu
	phases            Phases    // guarded by mu
}

func (c *clock) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart:          func(httptrace.DNSStartInfo) { c.begin(&c.dns) },
		DNSDone:           func(httptrace.DNSDoneInfo) { c.end(&c.dns, &c.phases.DNS) },
		ConnectStart:      func(string, string) { c.begin(&c.connect) },
		ConnectDone:       func(_, _ string, err error) { c.dialed(err) },
		TLSHandshakeStart: func() { c.begin(&c.tls) },
		TLSHandshakeDone:  func(tls.ConnectionState, error) { c.end(&c.tls, &c.phases.TLS) },

		GotFirstResponseByte: func() { c.end(&c.start, &c.phases.FirstByte) },
	})
}

// begin keeps the first time of several.
func (c *clock) begin(at *time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at.IsZero() {
		*at = time.Now()
	}
}

// end keeps the last time of several.
func (c *clock) end(began *time.Time, took *time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stopped {
		*took = time.Since(*began)
	}
}

// dialed is about one of several addresses: what comes after success was too slow.
func (c *clock) dialed(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stopped && !c.connected {
		c.phases.Connect, c.connected = time.Since(c.connect), err == nil
	}
}

func (c *clock) stop() Phases {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	return c.phases
}
