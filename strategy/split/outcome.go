package split

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/guidon-go/guidon/internal/bucket"
	"github.com/guidon-go/guidon/strategy"
)

// Outcome is what became of one request.
type Outcome struct {
	Backend  string         // who served it; "" if nobody did
	Unit     uint64         // the hash of whom it was for, as package health counts units; 0 if it was placed at random
	Slot     int32          // where that is in the traffic: 0 to 99,999, in steps of 0.001 %
	Share    strategy.Share // what the new version, the first of the weights, had then: it has the slots below; 0 where one version has all there ever was
	Pinned   bool           // it went where it asked to, whatever its slot; no part of a comparison
	Mirrored bool           // it was a copy, and nobody saw the answer
	Start    time.Time      // when the backend got it
	Latency  time.Duration  // until the backend returned, or took the connection over
	Status   int            // of the answer; 200 if the backend named none, 500 if it panicked, 101 if it took the connection over, 0 if the client gave up before there was any
	Panicked bool           // the backend did not return; so does an [Upstream] whose answer breaks off, unless the client has left
	Err      error          // why an [Upstream] has no answer; of a copy, also why it was given up
}

// recorded serves a request and tells what became of it.
func (s *Splitter) recorded(w http.ResponseWriter, r *http.Request, p placement) {
	writer, rec := record(w)
	o := s.outcome(p)
	o.Backend, o.Start = p.backend.Name, time.Now()
	returned := false
	// Without recover, so that a panic keeps its stack.
	defer func() {
		s.told(o, rec, r, returned)
	}()
	p.backend.Handler.ServeHTTP(writer, r)
	returned = true
}

// outcome is what is known before there is an answer.
func (s *Splitter) outcome(p placement) Outcome {
	o := Outcome{Slot: bucket.Slot(p.unit, p.routes.lane), Share: p.routes.first, Pinned: p.pinned}
	if p.named {
		o.Unit = p.unit
	}
	return o
}

// told adds what came of it, and tells the host.
func (s *Splitter) told(o Outcome, rec *recorder, r *http.Request, returned bool) {
	defer func() { _ = recover() }() // the host's own, of Outcome: the answer has nothing to do with it
	o.Latency = time.Since(o.Start)
	if !rec.taken.IsZero() {
		o.Latency = rec.taken.Sub(o.Start)
	}
	over := r.Context().Err()
	left := errors.Is(over, context.Canceled) // whatever an Upstream makes of that is the client's doing
	o.Status, o.Err, o.Panicked = rec.status, rec.err, !returned && !(rec.cut && left)
	switch {
	case o.Panicked:
		o.Status = http.StatusInternalServerError
	case o.Err != nil && left:
		o.Status = 0
	case o.Status == 0 && over == nil:
		o.Status = http.StatusOK
	}
	if o.Mirrored && o.Err == nil {
		o.Err = over
	}
	s.o.Outcome(o)
}
