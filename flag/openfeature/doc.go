// Package openfeature is a provider of the flags of a [flag.Store] for the OpenFeature
// SDK of Go. One line gives a program that asks an OpenFeature client the flags of Guidon:
//
//	err := of.SetProviderAndWait(openfeature.New(flags, openfeature.Options{}))
//
// (of is github.com/open-feature/go-sdk/openfeature.) The store stays the host's: whoever
// made it lets it follow its source by [flag.Store.Run], as without OpenFeature.
//
// # What becomes of what
//
// The targeting key is the subject's key; a context without one has no unit, which no ramp
// admits, and is no error. Attributes are what rules ask for by name, those of a structure
// with dots: "user.plan" is the plan within user. Where a name with a dot stands beside
// that, it wins. Booleans, strings, numbers of every Go type, [time.Time], and lists of
// strings are handed on without loss; anything else (nil, NaN, a pointer, a list of
// numbers) is as if it were missing, and so is what lies more than 8 structures deep. The
// targeting key is the attribute targetingKey, too. Beside the names that flags ask for, a
// process knows the first 1,000 that its contexts have, and as many of lists; others are as
// if they were missing, and the default log of package slog says so, once.
//
// Numbers are never cut: a flag of 3.9 asked for as an integer is TYPE_MISMATCH, and so is
// one of 2^53+1 asked for as a float; within an object they are the float64s of
// encoding/json. An object is the value as JSON has it, or as the
// code declares the flag; all callers share it, so it must not be changed.
//
//	target, rule                        TARGETING_MATCH
//	ramp, split, holdout, layer         SPLIT
//	serve, when, no unit                DEFAULT
//	override                            STATIC
//	killed, disabled                    DISABLED
//	unknown flag                        ERROR, FLAG_NOT_FOUND
//	wrong type                          ERROR, TYPE_MISMATCH
//	quarantined                         ERROR, PARSE_ERROR
//	no document                         ERROR, PROVIDER_NOT_READY
//
// A targeting key that is no string is ERROR, INVALID_CONTEXT. With [Options.Metadata], the
// flag metadata has the reason of Guidon, too, and where the subject was.
//
// # Events
//
// The provider is initialised once its store has a document, and loads one if it has none
// yet. From then on, until it is shut down, it looks at the store every [Options.Every]:
//
//	PROVIDER_CONFIGURATION_CHANGED   other flags serve; FlagChanges names them, and is empty if
//	                                 only what they have in common has changed, a segment say
//	PROVIDER_STALE                   [flag.Store.Err]: the newest document is wrong or cannot be
//	                                 read, or is not kept, and what is good of it serves
//	PROVIDER_READY                   there is a document now, or nothing is wrong any more
//	PROVIDER_ERROR                   initialising has failed, since there is no document
//
// In the same goroutine, it finds out what each flag asks for, so that evaluations look at
// nothing else of a context; until that is known, and for flags that ask for more than
// eight attributes, they look at all of it, with the same result.
//
// Whoever is slow to take events misses none: what has changed meanwhile is in the next.
//
// # Requests, and guarded rollouts
//
// [Provider.NewContext] gives a request one view of the flags, as package flaghttp does, so
// that its decisions agree, and a guarded rollout sees who was exposed to what. Tracking
// events are handed to [Options.OnTrack], with the context that they were tracked in.
package openfeature
