// Command characteristics measures the judges of package health by simulation and
// prints the tables of operating characteristics that its documentation shows.
//
//	go run ./internal/simulation/cmd/characteristics -runs 300
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/internal/simulation"
	"github.com/guidon-go/guidon/internal/simulation/trial"
)

const watched = 10 * time.Minute

func main() {
	runs := flag.Int("runs", 300, "runs for each cell; a thousand take half a day on two processors")
	only := flag.String("only", "", "the one table to print, by its name")
	flag.Parse()
	strict := health.CohortsOptions{Strict: 4}
	latency := health.CohortsOptions{Slow: trial.Slow()}
	pass := health.CohortsOptions{Harm: 2}
	for _, table := range []struct {
		name, title string
		cells       []simulation.Cell
		play        simulation.Trial
	}{
		{"fixed", "DefaultJudge of errors, ramp at 10 %: rolled back", simulation.Errors(false), trial.Of(health.CohortsOptions{}, health.DefaultJudge(watched), health.Fail)},
		{"ladder", "DefaultJudge of errors, ramp 1, 5, 25, 50 %, two minutes each: rolled back", simulation.Errors(true), trial.Of(health.CohortsOptions{}, health.DefaultJudge(watched), health.Fail)},
		{"latency", "DefaultJudge of latency, ramp at 10 %, ten minutes of history: rolled back", simulation.Latency(), trial.Of(latency, health.DefaultJudge(watched, health.Latency), health.Fail)},
		{"pass", "NoHarm of less than 2x, ramp at 10 %: passed", simulation.Pass(), trial.Of(pass, health.NoHarm{Over: watched}, health.Pass)},
		{"steered", "DefaultJudge of errors, ramp by the candidate's requests: rolled back", simulation.Steered(), trial.Of(health.CohortsOptions{}, health.DefaultJudge(watched), health.Fail)},
		{"strict", "DefaultJudge of errors, the same in strict mode: rolled back", simulation.Steered(), trial.Of(strict, health.DefaultJudge(watched), health.Fail)},
		{"history", "DefaultJudge of errors, ramp at 10 %, ten minutes of history: rolled back", simulation.WithHistory(), trial.Of(health.CohortsOptions{}, health.DefaultJudge(watched), health.Fail)},
	} {
		if *only != "" && *only != table.name {
			continue
		}
		fmt.Printf("%s, %d runs a cell\n\n  %-30s", table.title, *runs, "")
		for _, kind := range simulation.Kinds {
			fmt.Printf("%22s", kind)
		}
		for i, cell := range table.cells {
			if i%len(simulation.Kinds) == 0 {
				fmt.Printf("\n  %-30s", cell.Name)
			}
			fmt.Fprintf(os.Stderr, "\r%s: cell %d of %d ", table.name, i+1, len(table.cells))
			r := cell.Play(*runs, table.play)
			text := fmt.Sprintf("%.1f %%", 100*r.Share())
			if 2*r.Hits > r.Runs {
				text += fmt.Sprintf(" in %s", r.Median)
			}
			fmt.Printf("%22s", text)
		}
		fmt.Fprint(os.Stderr, "\r\033[K")
		fmt.Print("\n\n")
	}
}
