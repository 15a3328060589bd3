package process

import (
	"net/http"
	"os"
	"slices"
	"sync/atomic"
	"time"
)

// Child is a process as it stood when it was looked at.
type Child struct {
	Version string // what it is
	PID     int    // its number; its process group has the same one
	Addr    string // where it listens: "127.0.0.1:" and a port
	Output  string // the file that has what it prints
	Ready   bool   // it was ready once, and has not been sent away
	Busy    int    // how many it is answering
}

// child is a process that the fleet answers for, and how it is spoken of in the state
// file. Whoever has the fleet's turn may touch what is not atomic; of the record, what
// says which process it is never changes once requests come.
type child struct {
	record
	output string   // file
	port   *os.File // keeps its port until it listens there; nil later
	since  time.Time
	why    string // why it is not ready

	stage stage
	until time.Time // when the next stage begins
	dead  bool      // and what it has started is not yet
	heirs []proc    // what it has started, as far as it is known

	transport http.Transport // its own, so that its connections go with it

	busy atomic.Int64 // requests
	away atomic.Bool  // it gets no more of them
}

// stage is how far a child has come on its way out.
type stage int

const (
	staying  stage = iota
	draining       // answers what it has begun
	asked          // to end
	killed
)

// mark is in the environment of the child and of all it starts.
func (c *child) mark() string { return markName + "=" + c.Token }

const markName = "GUIDON_CHILD"

// life says how the child stands.
func (c *child) life() (life, error) { return proc{c.PID, c.Start}.life() }

// proc is a process: its number, and when it started.
type proc struct {
	pid   int
	start uint64
}

// life says how the process stands. One whose number another process has is gone.
func (p proc) life() (life, error) {
	l, start, err := look(p.pid)
	if err == nil && start != p.start {
		l = gone
	}
	return l, err
}

// seen is the child for people.
func (c *child) seen() Child {
	return Child{c.Version, c.PID, c.Addr, c.output, c.serves(), int(c.busy.Load())}
}

// stays says whether the child is one of those that are wanted.
func (c *child) stays() bool { return !c.Leaving && !c.dead }

// serves says whether it gets requests of its version.
func (c *child) serves() bool { return c.Ready && c.stays() }

// giveUp sends the child away without asking.
func (c *child) giveUp() {
	c.inherit(offspring(proc{c.PID, c.Start}))
	c.away.Store(true)
	c.Leaving, c.stage = true, killed
	kill(c.PID)
}

// inherit adds to what the child has started, which ends with it.
func (c *child) inherit(heirs []proc) {
	for _, p := range heirs {
		if !slices.Contains(c.heirs, p) {
			c.heirs = append(c.heirs, p)
		}
	}
}

// release gives up the port, which is the child's now, or nobody's.
func (c *child) release() {
	if c.port != nil {
		_ = c.port.Close()
		c.port = nil
	}
}

// free is one request less.
func (c *child) free() { c.busy.Add(-1) }

// leave takes the child one stage further, if it is time. It is called again and again
// until the child is gone.
func (c *child) leave(now time.Time, grace time.Duration) {
	switch c.stage {
	case staying:
		c.away.Store(true)
		c.stage, c.until = draining, now.Add(grace)
		fallthrough
	case draining:
		if c.busy.Load() > 0 && now.Before(c.until) {
			return
		}
		c.transport.CloseIdleConnections() // there are servers that wait for them
		c.inherit(offspring(proc{c.PID, c.Start}))
		terminate(c.PID)
		c.stage, c.until = asked, now.Add(grace)
	case asked:
		if now.Before(c.until) {
			return
		}
		c.inherit(offspring(proc{c.PID, c.Start}))
		c.stage = killed
		fallthrough
	case killed:
		kill(c.PID)
	}
}
