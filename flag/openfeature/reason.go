package openfeature

import (
	"strconv"

	"github.com/guidon-go/guidon/flag"
	of "github.com/open-feature/go-sdk/openfeature"
)

// reasons are what OpenFeature calls those of Guidon. The others leave the flag to the
// caller's default since something is wrong, and are errors.
var reasons = [...]of.Reason{
	flag.ReasonTarget:   of.TargetingMatchReason,
	flag.ReasonRule:     of.TargetingMatchReason,
	flag.ReasonRamp:     of.SplitReason,
	flag.ReasonSplit:    of.SplitReason,
	flag.ReasonHoldout:  of.SplitReason,
	flag.ReasonLayer:    of.SplitReason,
	flag.ReasonServe:    of.DefaultReason,
	flag.ReasonWhen:     of.DefaultReason,
	flag.ReasonNoUnit:   of.DefaultReason,
	flag.ReasonKilled:   of.DisabledReason,
	flag.ReasonDisabled: of.DisabledReason,
	flag.ReasonOverride: of.StaticReason,
}

// failure is what is wrong with a flag.
func failure(key string, r flag.Reason) of.ResolutionError {
	key = strconv.Quote(key[:min(len(key), maxName)])
	switch r {
	case flag.ReasonUnknownFlag:
		return of.NewFlagNotFoundResolutionError("flag " + key + ": not in the document")
	case flag.ReasonWrongType:
		return of.NewTypeMismatchResolutionError("flag " + key + ": its values are of another type, or would lose by it")
	case flag.ReasonQuarantined:
		return of.NewParseErrorResolutionError("flag " + key + ": its definition is broken, and has never been any better")
	case flag.ReasonNoDocument:
		return of.NewProviderNotReadyResolutionError("flag " + key + ": no document has been loaded")
	}
	return of.NewGeneralResolutionError("flag " + key + ": " + r.String())
}
