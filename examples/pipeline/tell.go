package main

import (
	"cmp"
	"fmt"
	"os"
	"path"
	"strings"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
)

// tell prints a record on a short line, but for what people need not read as it happens.
func tell(r rollout.Record) {
	switch {
	case r.Kind == rollout.KindBegun && r.Pipeline == "", r.Kind == rollout.KindWaiting: // a step of the canary
	case r.Kind == rollout.KindLooked && r.Look.Verdict.Call != health.Fail:
	default:
		r.Rollout = cmp.Or(r.Stage, path.Base(r.Rollout)) // there is one run: which stage says more
		fmt.Printf("%.150s\n", r)
	}
}

// tellAll prints what came of the run, and writes its timeline.
func tellAll(report rollout.Report, seen seen, shop *site, page string) error {
	fmt.Printf("\nThe run:\n  %s\n", indented(report))
	if report.Outcome != rollout.Succeeded {
		var back []string
		for _, s := range report.Stages {
			if s.Status == rollout.StageUndone {
				back = append(back, s.Name)
			}
		}
		if len(back) == 0 {
			back = append(back, "nothing, as nothing was there to take back")
		}
		fmt.Printf("  taken back: %s\n", strings.Join(back, ", "))
	}
	file, err := os.Create(page)
	if err != nil {
		return err
	}
	if err := report.WriteHTML(file); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	fmt.Printf("  its timeline: %s\n", page)
	fmt.Printf("\nThe schema:\n  orders: %s\n", shop.orders.schema())
	fmt.Printf("\nThe users:\n  %s\n", indented(seen))
	delivery, err := shop.engine.Delivery(rollout.DeliveryOptions{From: time.Now().Add(-24 * time.Hour)})
	if err != nil {
		return err
	}
	fmt.Printf("\nDelivery, of the last 24 hours, from the journal alone:\n  %s\n", indented(delivery[0]))
	return nil
}

func indented(text fmt.Stringer) string {
	return strings.ReplaceAll(text.String(), "\n", "\n  ")
}
