package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"strings"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
)

// display shows how the rollouts stand: on a terminal in place, otherwise one line
// a step.
type display struct {
	terminal bool
	guards   []*rollout.Guard
	window   *health.Window
	lines    int // drawn in place
}

func newDisplay() *display {
	info, err := os.Stdout.Stat()
	return &display{terminal: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

func (d *display) start(guards []*rollout.Guard, window *health.Window) {
	d.guards, d.window = guards, window
	for _, guard := range guards {
		if p := guard.Progress(); p.Resumed {
			fmt.Printf("resumed: the journal has %s %s at %v\n", p.ID, p.State, p.State.Share)
		}
	}
}

// follow redraws until the context ends.
func (d *display) follow(ctx context.Context) {
	if !d.terminal {
		return
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		d.draw()
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// record prints a line for each step that was taken, where nothing can be drawn in
// place.
func (d *display) record(r rollout.Record) {
	if !d.terminal && d.tells(r) {
		fmt.Println(r)
	}
}

// tells leaves out what people need not read: that a step is about to be taken,
// and looks that saw nothing.
func (d *display) tells(r rollout.Record) bool {
	switch r.Kind {
	case rollout.KindBegun, rollout.KindWaiting:
		return false
	case rollout.KindLooked:
		return r.Look.Verdict.Call == health.Fail
	}
	return true
}

// draw draws everything over what it drew before.
func (d *display) draw() {
	var b strings.Builder
	if d.lines > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", d.lines)
	}
	text := fmt.Sprintf("shop          %v\n", d.window.Snapshot(time.Now()))
	for _, guard := range d.guards {
		text += frame(guard.Progress())
	}
	d.lines = strings.Count(text, "\n")
	b.WriteString(strings.ReplaceAll(text, "\n", "\x1b[K\n"))
	fmt.Print(b.String())
}

// frame is one rollout: percentage, both cohorts, and the evidence against its
// threshold.
func frame(p rollout.Progress) string {
	const width = 40
	full := int(p.State.Share) * width / 100_000
	verdict := p.Verdict
	return fmt.Sprintf("\n%-13s [%s%s] %6v  %s\n", p.ID, strings.Repeat("#", full), strings.Repeat(".", width-full), p.State.Share, p.Phase) +
		fmt.Sprintf("  new         %v\n  old         %v\n", p.Sample.Candidate, p.Sample.Baseline) +
		fmt.Sprintf("  evidence    %s  of %s\n", meter(verdict), fmt.Sprintf("%.0f", math.Exp(verdict.LogThreshold)))
}

// meter draws the evidence on a logarithmic scale.
func meter(v health.Verdict) string {
	const width = 20
	full := 0
	if v.LogThreshold > 0 {
		full = int(min(max(v.LogE/v.LogThreshold, 0), 1) * width)
	}
	return fmt.Sprintf("[%s%s] %.3g", strings.Repeat("!", full), strings.Repeat(".", width-full), v.Evidence())
}

// end prints the audit trail and the delivery metrics.
func (d *display) end(journal rollout.Journal, engine *rollout.Engine) error {
	if d.terminal {
		d.draw()
	}
	fmt.Println("\nWhat happened:")
	for r, err := range journal.Records() {
		if err != nil {
			return err
		}
		if d.tells(r) {
			fmt.Println(" ", r)
		}
	}
	fmt.Println("\nDelivery, from the journal alone:")
	delivery, err := measure(engine)
	if err != nil {
		return err
	}
	fmt.Println(" ", strings.ReplaceAll(delivery.String(), "\n", "\n  "))
	return nil
}
