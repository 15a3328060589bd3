package simulation

import "time"

// Cell is a world in a table of operating characteristics.
type Cell struct {
	World
	// Expected is the share of runs in which an independent simulation of the same
	// method failed the change, in percent; it was made before this one.
	Expected float64
	// AtLeast says that more than Expected is fine, too.
	AtLeast bool
}

// Kinds of users, in the order of the tables' columns: each request is a user of
// its own; ten thousand, some far more often than others; five hundred.
var Kinds = []string{"a user per request", "10,000 users, Zipf", "500 users"}

// row is one line of a table: a world for each kind of users, at a fixed ramp and
// on a ladder.
type row struct {
	name          string
	world         World
	fixed, ladder [3]float64
}

// rows are harmless changes first, then harmful ones. Expected shares of harmless
// ones are informative: what they must not exceed is alpha.
var rows = []row{
	{"harmless", World{}, [3]float64{2.2, 2.8, 2.2}, [3]float64{2.7, 2.3, 2.0}},
	{"harmless, incident x4", World{Incident: 4}, [3]float64{3.5, 3.0, 2.5}, [3]float64{3.2, 3.0, 3.2}},
	{"harmless, bursts of 3", World{Burst: 3}, [3]float64{2.3, 3.0, 1.7}, [3]float64{3.7, 2.5, 3.0}},
	{"harmless, bursts of 10", World{Burst: 10}, [3]float64{2.2, 2.2, 3.8}, [3]float64{3.2, 2.5, 2.2}},
	{"harmless, users differ by 0.2", World{Spread: 0.2}, [3]float64{2.7, 3.2, 2.2}, [3]float64{1.8, 4.0, 3.0}},
	{"harmless, users differ by 0.4", World{Spread: 0.4}, [3]float64{2.3, 3.0, 1.7}, [3]float64{2.7, 4.3, 3.7}},
	{"harmless, chronic users", World{Chronic: true}, [3]float64{2.7, 2.5, 3.7}, [3]float64{2.7, 3.2, 3.3}},
	{"harmless, 10 requests/s", World{Rate: 10}, [3]float64{1.8, 1.7, 2.7}, [3]float64{2.2, 3.8, 2.7}},
	{"harmless, 10 % fail", World{Base: 0.1}, [3]float64{2.8, 3.8, 3.5}, [3]float64{3.8, 4.0, 2.3}},
	{"+50 %", World{Harm: 1.5}, [3]float64{78, 65, 75}, [3]float64{95, 88, 92}},
	{"2x", World{Harm: 2}, [3]float64{100, 99, 100}, [3]float64{100, 100, 100}},
	{"5x", World{Harm: 5}, [3]float64{100, 100, 100}, [3]float64{100, 100, 100}},
	{"2x, bursts of 3", World{Harm: 2, Burst: 3}, [3]float64{80, 58, 66}, [3]float64{96, 82, 88}},
	{"5x, bursts of 10", World{Harm: 5, Burst: 10}, [3]float64{100, 95, 99}, [3]float64{100, 100, 100}},
	{"2x, chronic users", World{Harm: 2, Chronic: true}, [3]float64{99, 82, 61}, [3]float64{100, 98, 96}},
	{"5x, 10 requests/s", World{Harm: 5, Rate: 10}, [3]float64{100, 98, 100}, [3]float64{100, 100, 100}},
	{"+50 %, 10 % fail", World{Harm: 1.5, Base: 0.1}, [3]float64{100, 100, 100}, [3]float64{100, 100, 100}},
}

// Errors are the cells for judges of errors: rows of three kinds of users each,
// watched for ten minutes at 10 %, or on the ladder.
func Errors(ladder bool) []Cell {
	var cells []Cell
	for _, r := range rows {
		for kind := range Kinds {
			w := r.world.filled(kind)
			w.Name = r.name
			expected := r.fixed[kind]
			if w.Ramps = Fixed(10_000); ladder {
				w.Ramps, expected = Ladder(), r.ladder[kind]
			}
			cells = append(cells, Cell{World: w, Expected: expected})
		}
	}
	return cells
}

// Latency are the cells for judges of latency, at 10 %, with ten minutes of history.
func Latency() []Cell {
	var cells []Cell
	for _, r := range []struct {
		name     string
		world    World
		expected [3]float64 // of the placebo test with history alone
	}{
		{"harmless", World{}, [3]float64{5.3, 4.0, 3.3}},
		{"+5 %", World{Slower: 1.05}, [3]float64{97, 76, 77}},
		{"+10 %", World{Slower: 1.1}, [3]float64{100, 100, 100}},
		{"+25 %", World{Slower: 1.25}, [3]float64{100, 100, 100}},
		{"2 % take 1 s more", World{Stalls: 0.02}, [3]float64{100, 100, 100}},
		{"0.5 % take 1 s more", World{Stalls: 0.005}, [3]float64{76, 50, 36}},
	} {
		for kind := range Kinds {
			w := r.world.filled(kind)
			w.Name, w.Ramps, w.Latency, w.Past = r.name, Fixed(10_000), true, 10*time.Minute
			cells = append(cells, Cell{World: w, Expected: r.expected[kind]})
		}
	}
	return cells
}

// Pass are the cells for a judge that passes changes which do not fail twice as
// often, at 10 %. Expected is the share of runs that pass by the placebo test alone.
func Pass() []Cell {
	var cells []Cell
	for _, r := range []struct {
		name     string
		world    World
		expected [3]float64
	}{
		{"2x", World{Harm: 2}, [3]float64{5.7, 1.3, 4.0}},
		{"2x, users differ by 1", World{Harm: 2, Spread: 1}, [3]float64{4.7, 4.0, 2.0}},
		{"2x, chronic users as well", World{Harm: 2, Chronic: true, ChronicHarmed: true}, [3]float64{6.3, 5.5, 6.0}},
		{"2x, bursts of 3", World{Harm: 2, Burst: 3}, [3]float64{6.7, 5.7, 6.0}},
		{"2x, 10 % fail", World{Harm: 2, Base: 0.1}, [3]float64{4.7, 6.0, 3.3}},
		{"harmless", World{}, [3]float64{98, 89, 97}},
	} {
		for kind := range Kinds {
			w := r.world.filled(kind)
			w.Name, w.Ramps = r.name, Fixed(10_000)
			cells = append(cells, Cell{World: w, Expected: r.expected[kind]})
		}
	}
	return cells
}

func (w World) filled(kind int) World {
	w.For = 10 * time.Minute
	w.Users, w.Zipf = []int{0, 10_000, 500}[kind], kind == 1
	if w.Rate == 0 {
		w.Rate = 100
	}
	if w.Base == 0 {
		w.Base = 0.01
	}
	return w
}

// Harmless says whether the change of this world does nothing.
func (w World) Harmless() bool { return w.Harm <= 1 && w.Slower <= 1 && w.Stalls == 0 }

// Kind names the users of this world: one of Kinds.
func (w World) Kind() string {
	switch w.Users {
	case 0:
		return Kinds[0]
	case 500:
		return Kinds[2]
	}
	return Kinds[1]
}

// Steered are cells whose ramp goes up whenever the exposed have made so many
// requests: what no proof covers but that of strict mode. Nothing is expected of
// harmful ones.
func Steered() []Cell {
	var cells []Cell
	for _, r := range rows {
		switch r.name {
		case "harmless", "harmless, bursts of 10", "harmless, chronic users", "2x", "5x", "2x, chronic users":
		default:
			continue
		}
		for kind := range Kinds {
			w := r.world.filled(kind)
			w.Name, w.Ramps, w.Exposure = r.name, Ladder(), 100
			cells = append(cells, Cell{World: w, Expected: -1})
		}
	}
	return cells
}

// WithHistory are the cells of Errors at the fixed ramp, after ten minutes of
// traffic before the rollout.
func WithHistory() []Cell {
	cells := Errors(false)
	for i := range cells {
		// Expected of the same without history, which can only help.
		cells[i].Past, cells[i].AtLeast = 10*time.Minute, true
	}
	return cells
}
