package flag

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// record is an Explanation in JSON. Whatever a replay needs is written exactly.
type record struct {
	Flag       exact        `json:"flag"`
	Key        *exact       `json:"key,omitempty"` // none if it is hidden
	At         time.Time    `json:"at,omitzero"`
	Attributes []Seen       `json:"attributes,omitempty"`
	Snapshot   string       `json:"snapshot,omitempty"`
	Revision   uint64       `json:"revision,omitempty"`
	Variant    *exact       `json:"variant,omitempty"` // none for the caller's default
	Reason     Reason       `json:"reason"`
	Rule       *int         `json:"rule,omitempty"`
	Unit       uint64       `json:"unit,omitempty,string"`
	Slot       *int32       `json:"slot,omitempty"`
	Ramp       Share        `json:"ramp,omitempty"`
	Redacted   bool         `json:"redacted,omitempty"`
	Unrecorded []exact      `json:"unrecorded,omitempty"`
	Steps      []stepRecord `json:"steps,omitempty"`
}

// stepRecord is a Step in JSON; its attribute stands once among the others.
type stepRecord struct {
	What    string       `json:"what"`
	At      string       `json:"at,omitempty"`
	Asks    string       `json:"asks"`
	Is      Truth        `json:"is"`
	Not     bool         `json:"not,omitempty"`
	Want    string       `json:"want,omitempty"`
	Attr    *exact       `json:"attr,omitempty"`
	Draw    *Draw        `json:"draw,omitempty"`
	Decides bool         `json:"decides,omitempty"`
	Serve   *exact       `json:"serve,omitempty"`
	Why     string       `json:"why,omitempty"` // for who reads it; made from the others
	Steps   []stepRecord `json:"steps,omitempty"`
}

// exact is a string that is read as it was, even if it is no UTF-8.
type exact string

type inBase64 struct {
	Bytes *[]byte `json:"base64"`
}

func (e exact) MarshalJSON() ([]byte, error) {
	if data := []byte(e); !utf8.Valid(data) {
		return json.Marshal(inBase64{&data})
	}
	return json.Marshal(string(e))
}

func (e *exact) UnmarshalJSON(data []byte) error {
	if len(data) == 0 || data[0] != '{' {
		return strictly(data, (*string)(e))
	}
	var wrapped inBase64
	if err := strictly(data, &wrapped); err != nil {
		return err
	}
	if wrapped.Bytes == nil {
		return errors.New("found an object without base64, want a string")
	}
	*e = exact(*wrapped.Bytes)
	return nil
}

// exactOrNone is nothing for a string that is empty.
func exactOrNone(s string) *exact {
	if s == "" {
		return nil
	}
	return new(exact(s))
}

func (e *exact) text() string {
	if e == nil {
		return ""
	}
	return string(*e)
}

// strictly decodes JSON without a field that nobody knows, and refuses null.
func strictly(data []byte, to any) error {
	if bytes.Equal(bytes.TrimSpace(data), []byte("null")) {
		return errors.New("found null, want a value")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		return err
	}
	if d.More() {
		return errors.New("found more behind it, want one value")
	}
	return nil
}

// MarshalText is String.
func (t Truth) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads the word or two.
func (t *Truth) UnmarshalText(text []byte) error {
	for i, name := range truthNames {
		if name == string(text) {
			*t = Truth(i)
			return nil
		}
	}
	return fmt.Errorf("found %q, want one of %q", shorten(string(text)), truthNames)
}

// MarshalJSON writes the record of a decision, which is all that [Set.Replay] needs: of
// each attribute its kind and its exact value, strings that are no UTF-8 in base64.
func (e Explanation) MarshalJSON() ([]byte, error) {
	r := record{
		Flag: exact(e.Flag), At: e.At, Attributes: e.Attributes, Snapshot: e.Snapshot, Revision: e.Revision,
		Variant: exactOrNone(e.Variant), Reason: e.Reason, Unit: e.Unit, Ramp: e.Ramp, Redacted: e.Redacted, Steps: recorded(e.Steps),
	}
	if !e.Redacted {
		r.Key = new(exact(e.Key))
	}
	if e.Rule >= 0 {
		r.Rule = &e.Rule
	}
	if e.Slot >= 0 {
		r.Slot = &e.Slot
	}
	for _, name := range e.Unrecorded {
		r.Unrecorded = append(r.Unrecorded, exact(name))
	}
	return json.Marshal(r)
}

func recorded(steps []Step) []stepRecord {
	if len(steps) == 0 {
		return nil
	}
	out := make([]stepRecord, len(steps))
	for i, s := range steps {
		out[i] = stepRecord{s.What, s.At, s.Asks, s.Is, s.Not, s.Want, nil, s.Draw, s.Decides, exactOrNone(s.Serve), s.Why(), recorded(s.Steps)}
		if s.Saw != nil {
			out[i].Attr = new(exact(s.Saw.Name))
		}
	}
	return out
}

// UnmarshalJSON reads a record. One that says anything that no Explanation can is an
// error, and changes nothing.
func (e *Explanation) UnmarshalJSON(data []byte) error {
	var r record
	if err := strictly(data, &r); err != nil {
		return &Error{Op: "read record", Key: "", Err: err}
	}
	out := Explanation{
		Flag: string(r.Flag), Key: r.Key.text(), At: r.At.UTC(), Attributes: r.Attributes, Snapshot: r.Snapshot, Revision: r.Revision,
		Variant: r.Variant.text(), Reason: r.Reason, Rule: -1, Unit: r.Unit, Slot: -1, Ramp: r.Ramp, Redacted: r.Redacted,
	}
	if r.Rule != nil {
		out.Rule = *r.Rule
	}
	if r.Slot != nil {
		out.Slot = *r.Slot
	}
	for _, name := range r.Unrecorded {
		out.Unrecorded = append(out.Unrecorded, string(name))
	}
	fail := func(format string, args ...any) error {
		return &Error{Op: "read record of", Key: out.Flag, Err: fmt.Errorf(format, args...)}
	}
	switch {
	case r.Reason == 0:
		return fail("found no reason, want that of a decision")
	case (r.Key == nil) != r.Redacted:
		return fail("found redacted %v and a key %v, want one of the two", r.Redacted, r.Key != nil)
	case out.Rule < -1 || out.Slot < -1 || out.Slot >= int32(All):
		return fail("found rule %d and slot %d, want none or what there can be", out.Rule, out.Slot)
	}
	seen := make(map[string]*Seen, len(out.Attributes))
	for i := range out.Attributes {
		s := &out.Attributes[i]
		if seen[s.Name] != nil {
			return fail("found attribute %q twice, want it once", shorten(s.Name))
		}
		seen[s.Name] = s
	}
	var err error
	if out.Steps, err = stepsOf(r.Steps, seen); err != nil {
		return fail("%w", err)
	}
	*e = out
	return nil
}

func stepsOf(steps []stepRecord, seen map[string]*Seen) ([]Step, error) {
	if len(steps) == 0 {
		return nil, nil
	}
	out := make([]Step, len(steps))
	for i, s := range steps {
		inner, err := stepsOf(s.Steps, seen)
		if err != nil {
			return nil, err
		}
		if s.What == "" {
			return nil, errors.New("found a step that says nothing, want one that says what it is")
		}
		out[i] = Step{
			What: s.What, At: s.At, Asks: s.Asks, Want: s.Want, Is: s.Is, Not: s.Not,
			Decides: s.Decides, Serve: s.Serve.text(), Draw: s.Draw, Steps: inner,
		}
		if s.Attr == nil {
			continue
		}
		if out[i].Saw = seen[s.Attr.text()]; out[i].Saw == nil {
			return nil, fmt.Errorf("found attribute %q in a step, want one of those that were asked for", shorten(s.Attr.text()))
		}
	}
	return out, nil
}
