package rollout

import "time"

// Course is the fold over the records of a run.
type Course struct{ course }

// NewRun is what the journal gets of a pipeline.
func NewRun(p Pipeline, release Release) RequestedRun { return p.requested(release) }

// Apply folds a record in.
func (c *Course) Apply(r Record) error { return c.apply(r) }

// Next says what comes next: "begin", "skip", "cut", "undo", "wait", "finish" or "rest".
func (c *Course) Next(now time.Time, mine func(string) bool) (do, stage string, at time.Time) {
	m := c.next(now, func(i int) bool { return mine(c.stages[i].Name) })
	do = [...]string{courseRest: "rest", courseBegin: "begin", courseSkip: "skip", courseCut: "cut", courseUndo: "undo", courseWait: "wait", courseFinish: "finish"}[m.do]
	if do != "wait" && do != "finish" && do != "rest" {
		stage = c.stages[m.stage].Name
	}
	return do, stage, m.at
}

// Where says where a record's stage stands, and Becomes where the record leaves it.
func (c *Course) Where(r Record) string { return c.state(r) }

// Becomes is described at Where.
func (c *Course) Becomes(r Record) string { return c.becomes(r) }

// Report is what is known of the run.
func (c *Course) Report() Report { return c.report("run") }
