package strategy

import (
	"fmt"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// Weights are what a [Canary] gives the new version, one after the other. In JSON they are
// a list of percentages, or a rule: {"linear": 10}, or {"exponential": 1, "factor": 2}.
type Weights []Share

// Linear is the weights step, twice step, and so on, up to 100 %. A step that is not
// above zero gives none.
func Linear(step Share) []Share {
	if step <= 0 {
		return nil
	}
	var weights []Share
	for w := step; w < All; w += step {
		weights = append(weights, w)
	}
	return append(weights, All)
}

// Exponential is the weights first, factor times first, and so on, up to 100 %. A
// first that is not above zero, or a factor below 2, gives none.
func Exponential(first Share, factor int) []Share {
	if first <= 0 || factor < 2 {
		return nil
	}
	var weights []Share
	for w := int64(first); w < int64(All); w *= int64(min(factor, int(All))) {
		weights = append(weights, Share(w))
	}
	return append(weights, All)
}

// UnmarshalJSON reads a list, or a rule.
func (w *Weights) UnmarshalJSON(data []byte) error {
	root, err := jsontree.Parse(data)
	if err != nil {
		return err
	}
	switch root.Kind {
	case jsontree.Array:
		var list []Share
		err := root.Decode("", &list)
		*w = list
		return err
	case jsontree.Object:
		var rule struct {
			Linear      Share `json:"linear"`
			Exponential Share `json:"exponential"`
			Factor      int   `json:"factor"`
		}
		if err := root.Decode("", &rule); err != nil {
			return err
		}
		if rule.Exponential == 0 && rule.Factor == 0 {
			*w = Linear(rule.Linear)
		} else if rule.Linear == 0 {
			*w = Exponential(rule.Exponential, rule.Factor)
		}
		if *w == nil {
			return fmt.Errorf("found linear %v, exponential %v and factor %d, want the first above 0, or the second above 0 and the third above 1", rule.Linear, rule.Exponential, rule.Factor)
		}
		return nil
	}
	return fmt.Errorf("found %s, want a list of percentages or a rule like {\"linear\": 10}", root.Describe())
}
