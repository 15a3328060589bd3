package strategy_test

import (
	"context"

	"github.com/guidon-go/guidon/strategy"
)

// everything is a target that can do everything.
type everything struct{ movable }

func (everything) Scale(context.Context, int, int) error        { return nil }
func (everything) Mirror(context.Context, strategy.Share) error { return nil }
