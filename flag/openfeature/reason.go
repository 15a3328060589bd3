package openfeature

import (
	"strconv"

	"github.com/guidon-go/guidon/flag"
	of "github.com/open-feature/go-sdk/openfeature"
)

// reason is what OpenFeature calls a reason of Guidon; those that leave the flag to the
// caller's default since something is wrong are errors.
func reason(key string, r flag.Reason) (of.Reason, of.ResolutionError) {
	switch r {
	case flag.ReasonTarget, flag.ReasonRule:
		return of.TargetingMatchReason, of.ResolutionError{}
	case flag.ReasonRamp, flag.ReasonSplit, flag.ReasonHoldout, flag.ReasonLayer:
		return of.SplitReason, of.ResolutionError{}
	case flag.ReasonServe, flag.ReasonWhen, flag.ReasonNoUnit:
		return of.DefaultReason, of.ResolutionError{}
	case flag.ReasonKilled, flag.ReasonDisabled:
		return of.DisabledReason, of.ResolutionError{}
	case flag.ReasonOverride:
		return of.StaticReason, of.ResolutionError{}
	}
	return of.ErrorReason, failure(strconv.Quote(key), r)
}

func failure(key string, r flag.Reason) of.ResolutionError {
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
