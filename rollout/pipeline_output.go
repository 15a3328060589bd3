package rollout

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"
)

// StageRun is one attempt at a stage, or at its way back: what its action is given. It
// is an [io.Writer]: what is written to it is in the journal and in the report, its last
// 64 kB. It is safe for concurrent use. Once the action has returned, or was given up,
// nothing is written to it any more.
type StageRun struct {
	Run     string  // the run's ID
	Stage   string  // the stage's name
	Attempt int     // of the stage, or of its way back, from 1
	Release Release // what gets out
	// Previous is the last good release before it, of the run's service and environment, as
	// the journal has it when the run begins: what [Engine.Good] says; or, where nothing was
	// rolled out there, what the last run that has succeeded brought. Zero if there is none.
	// A stage for another service or environment asks Engine.Good.
	Previous Release
	// Service and Environment are of the run; see [RunRequest].
	Service, Environment string
	// Rollout is the ID of the rollout that the stage is, if it has Deploy or Guard: for
	// [Engine.Cohorts], among others.
	Rollout string

	outputs func(stage string) (map[string]json.RawMessage, error) // of a stage that it needs
	mu      sync.Mutex                                             // guards what follows
	set     map[string]json.RawMessage
	size    int
	tail    tail
	over    bool
}

// maxOutputs is how many bytes the outputs of a stage may have.
const maxOutputs = 64 << 10

// errOver is a stage's run that is used after its end.
var errOver = errors.New("the stage is over")

// Write keeps the last 64 kB of what was written. Its error says that the stage is over.
func (s *StageRun) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return 0, fmt.Errorf("rollout: stage %q: %w", s.Stage, errOver)
	}
	s.tail.write(p)
	return len(p), nil
}

// end is what the attempt has left. From now on nothing is added to it.
func (s *StageRun) end() StageResult {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	text, dropped := s.tail.text()
	return StageResult{Outputs: s.set, Output: text, Dropped: dropped}
}

// tail is the last of what was written.
type tail struct {
	bytes   []byte // up to twice as many as are kept
	dropped int64
}

const maxTail = 64 << 10

func (t *tail) write(p []byte) {
	if over := len(p) - maxTail; over > 0 {
		t.dropped += int64(len(t.bytes) + over)
		t.bytes, p = t.bytes[:0], p[over:]
	}
	if len(t.bytes)+len(p) > 2*maxTail {
		over := len(t.bytes) + len(p) - maxTail
		t.dropped += int64(over)
		t.bytes = t.bytes[:copy(t.bytes, t.bytes[over:])]
	}
	t.bytes = append(t.bytes, p...)
}

// text is what is kept, as text that any encoding can say.
func (t *tail) text() (string, int64) {
	kept := t.bytes
	dropped := t.dropped
	if over := len(kept) - maxTail; over > 0 {
		kept, dropped = kept[over:], dropped+int64(over)
	}
	return strings.ToValidUTF8(string(kept), "\uFFFD"), dropped
}

// Output is something that a stage hands to those that need it, by its name. It goes to
// the journal, as JSON, with the record that the stage is done.
//
//	const Image = rollout.Output[string]("image")
//
// It is declared once, and safe for concurrent use.
type Output[T any] string

// Set sets the output of the stage that is under way; of several, the last one counts. It
// is there for others once the stage is done. What JSON cannot say is an error, and so
// are more than 64 kB in all, names included, and a stage that is over.
func (o Output[T]) Set(s *StageRun, value T) error {
	fail := func(err error) error {
		return fmt.Errorf("rollout: output %q of stage %q: %w", string(o), s.Stage, err)
	}
	if !utf8.ValidString(string(o)) {
		return fail(errors.New("want a name in UTF-8"))
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fail(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	size := s.size + len(o) + len(text)
	if was, set := s.set[string(o)]; set {
		size -= len(o) + len(was)
	}
	switch {
	case s.over:
		return fail(errOver)
	case size > maxOutputs:
		return fail(fmt.Errorf("found %d bytes of outputs, want at most %d: write what is large to a file, and hand on where", size, maxOutputs))
	}
	if s.set == nil {
		s.set = map[string]json.RawMessage{}
	}
	s.set[string(o)], s.size = text, size
	return nil
}

// Get returns what a stage has set. It must be one that the stage under way needs, by way
// of others or not; on the way back it may be that stage itself.
func (o Output[T]) Get(s *StageRun, stage string) (value T, err error) {
	fail := func(err error) (T, error) {
		return value, fmt.Errorf("rollout: output %q of stage %q for stage %q: %w", string(o), stage, s.Stage, err)
	}
	outputs, err := s.outputs(stage)
	if err != nil {
		return fail(err)
	}
	text, set := outputs[string(o)]
	if !set {
		return fail(errors.New("it has not set it"))
	}
	if err := json.Unmarshal(text, &value); err != nil {
		return fail(fmt.Errorf("found %s: %w", text, err))
	}
	return value, nil
}

// outputs are what a stage has set, for one that needs it.
func (c *course) outputs(of string, to int, undo bool) (map[string]json.RawMessage, error) {
	from := c.find(of)
	switch {
	case from < 0:
		return nil, errors.New("the pipeline has no such stage")
	case from == to && !undo, from != to && !c.graph.Reaches(to, from):
		return nil, fmt.Errorf("it is not among what %s needs, so nobody knows whether it is done", c.stages[to].Name)
	}
	return c.stages[from].Outputs, nil
}
