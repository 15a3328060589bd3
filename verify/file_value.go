package verify

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// timeFile is a time in a file: "1m30s", more than 0.
type timeFile time.Duration

func (s timeFile) d() time.Duration { return time.Duration(s) }

// UnmarshalJSON reads a duration.
func (s *timeFile) UnmarshalJSON(data []byte) error {
	n, err := jsontree.Parse(data)
	if n == nil {
		return err
	}
	d, err := time.ParseDuration(n.Text()) // of anything but a string, it is none, or 0
	if err != nil || d <= 0 {
		return fmt.Errorf("found %s, want a duration of more than 0 like %q", n.Describe(), "1m30s")
	}
	*s = timeFile(d)
	return nil
}

// MarshalJSON writes "1m30s".
func (s timeFile) MarshalJSON() ([]byte, error) { return json.Marshal(s.d().String()) }

// texts are a text or a list of them.
type texts []string

// UnmarshalJSON reads either.
func (t *texts) UnmarshalJSON(data []byte) error {
	n, err := jsontree.Parse(data)
	switch {
	case n == nil:
		return err
	case n.Kind == jsontree.Array && len(n.Items) > 0:
		return n.Decode("", (*[]string)(t))
	case n.Kind == jsontree.String:
		*t = texts{n.Text()}
		return nil
	}
	return fmt.Errorf("found %s, want a string or a list of strings", found(n))
}

// MarshalJSON writes one text without a list.
func (t texts) MarshalJSON() ([]byte, error) {
	if len(t) == 1 {
		return json.Marshal(t[0])
	}
	return json.Marshal([]string(t))
}

// namesFile is a list of names, each of them once.
type namesFile []string

// UnmarshalJSON reads a list.
func (l *namesFile) UnmarshalJSON(data []byte) error {
	n, err := jsontree.Parse(data)
	if n == nil {
		return err
	}
	var problems jsontree.Problems
	errors.As(n.Decode("", (*[]string)(l)), &problems)
	seen := map[string]bool{}
	for i, name := range *l {
		p := jsontree.Problem{Path: jsontree.Index("", i), Pos: n.Items[i].Pos()}
		switch {
		case n.Items[i].Kind != jsontree.String:
			continue
		case !isName(name):
			p.Text = fmt.Sprintf("want a name of letters, digits, '_' and '-', found %s", n.Items[i].Describe())
		case seen[name]:
			p.Text = fmt.Sprintf("%q is listed twice", name)
		default:
			seen[name] = true
			continue
		}
		problems = append(problems, p)
	}
	return problems.Err()
}

// statusFile are the statuses that pass: 404, "2xx", "500-503", or a list of these.
type statusFile []StatusRange

// UnmarshalJSON reads one or a list.
func (s *statusFile) UnmarshalJSON(data []byte) error {
	n, err := jsontree.Parse(data)
	if n == nil {
		return err
	}
	if n.Kind != jsontree.Array || len(n.Items) == 0 {
		r, err := statusOf(n)
		*s = statusFile{r}
		return err
	}
	var problems jsontree.Problems
	for i := range n.Items {
		r, err := statusOf(&n.Items[i])
		if err != nil {
			problems = append(problems, jsontree.Problem{Path: jsontree.Index("", i), Pos: n.Items[i].Pos(), Text: err.Error()})
		}
		*s = append(*s, r)
	}
	return problems.Err()
}

func statusOf(n *jsontree.Node) (r StatusRange, err error) {
	switch n.Kind {
	case jsontree.Number:
		if n.Decode("", &r.From) == nil && r.From >= 200 && r.From <= 599 {
			return r, nil
		}
	case jsontree.String:
		from, to, isRange := strings.Cut(n.Text(), "-")
		class, isClass := strings.CutSuffix(n.Text(), "xx")
		switch {
		case isClass:
			from, to = class+"00", class+"99"
		case !isRange:
			to = "" // a number is no string
		}
		r.From, r.To = status(from), status(to)
		if r.From != 0 && r.To >= r.From {
			if r.To == r.From {
				r.To = 0
			}
			return r, nil
		}
	}
	return StatusRange{From: 200}, fmt.Errorf(`found %s, want a status from 200 to 599, a class like "2xx", a range like "500-503" or a list of these`, found(n))
}

// status reads three digits, or returns 0.
func status(text string) int {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || len(text) != 3 || n < 200 || n > 599 {
		return 0
	}
	return int(n)
}

// MarshalJSON writes one status or range without a list.
func (s statusFile) MarshalJSON() ([]byte, error) {
	all := make([]any, len(s))
	for i, r := range s {
		switch to := r.last(); {
		case to == r.From:
			all[i] = r.From
		case r.From%100 == 0 && to == r.From+99:
			all[i] = r.String()
		default:
			all[i] = fmt.Sprintf("%d-%d", r.From, to)
		}
	}
	if len(all) == 1 {
		return json.Marshal(all[0])
	}
	return json.Marshal(all)
}

// modeFile is the mode of an array by name.
type modeFile ArrayMode

// name is the String of the mode as names are written in files.
func (m modeFile) name() string {
	return strings.ReplaceAll(strings.Replace(ArrayMode(m).String(), "in any", "any", 1), " ", "_")
}

// UnmarshalText reads the name.
func (m *modeFile) UnmarshalText(text []byte) error {
	var names []string
	for *m = 0; *m <= modeFile(Unordered); *m++ {
		if m.name() == string(text) {
			return nil
		}
		names = append(names, m.name())
	}
	*m = 0
	return unknown(string(text), names)
}

// MarshalText writes the name.
func (m modeFile) MarshalText() ([]byte, error) { return []byte(m.name()), nil }

// nodesFile says by name which values are meant.
type nodesFile Nodes

// UnmarshalText reads the name.
func (k *nodesFile) UnmarshalText(text []byte) error {
	var names []string
	for *k = 0; *k <= nodesFile(Exactly); *k++ {
		if Nodes(*k).String() == string(text) {
			return nil
		}
		names = append(names, Nodes(*k).String())
	}
	*k = 0
	return unknown(string(text), names)
}

// MarshalText writes the name.
func (k nodesFile) MarshalText() ([]byte, error) { return []byte(Nodes(k).String()), nil }

func unknown(word string, names []string) error {
	hint := ""
	if close := jsontree.Closest(word, names); close != "" {
		hint = fmt.Sprintf(", did you mean %q?", close)
	}
	return fmt.Errorf("found string %s, want one of %s%s", strconv.Quote(jsontree.Cut(word)), strings.Join(names, ", "), hint)
}

// numberFile is a number as it was written.
type numberFile json.Number

// UnmarshalJSON takes nothing but a number.
func (x *numberFile) UnmarshalJSON(data []byte) error {
	if n, _ := jsontree.Parse(data); n != nil && n.Kind != jsontree.Number {
		return fmt.Errorf("found %s, want a number", n.Describe())
	}
	*x = numberFile(data)
	return nil
}

// MarshalJSON writes it as it was.
func (x numberFile) MarshalJSON() ([]byte, error) { return []byte(x), nil }

// found describes a value; a list that will not do has nothing in it.
func found(n *jsontree.Node) string {
	if n.Kind == jsontree.Array && len(n.Items) == 0 {
		return "an empty array"
	}
	return n.Describe()
}
