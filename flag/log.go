package flag

import "log/slog"

// String says in a few words what became of the document.
func (i LoadInfo) String() string {
	switch {
	case i.Err == nil:
		return "the document serves"
	case i.Refused && i.Revision == 0:
		return "there is no document, and callers' defaults serve"
	case i.Refused:
		return "the document is refused, and the last good one goes on serving"
	case len(i.Quarantined) == 0:
		return "the document serves, but not all is well"
	}
	return "some are quarantined and stay as they were"
}

// LogValue lays it out for package slog: source, revision, error, quarantined and restored,
// but for what is empty.
func (i LoadInfo) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("source", i.Source), slog.Uint64("revision", i.Revision)}
	if i.Err != nil {
		attrs = append(attrs, slog.Any("error", i.Err))
	}
	if len(i.Quarantined) > 0 {
		attrs = append(attrs, slog.Any("quarantined", i.Quarantined))
	}
	if !i.Restored.IsZero() {
		attrs = append(attrs, slog.Time("restored", i.Restored))
	}
	return slog.GroupValue(attrs...)
}

// LogValue lays it out for package slog: op, flag, to (if there is more to say than op),
// actor, reason and revision.
func (i ChangeInfo) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("op", i.Op), slog.String("flag", i.Key)}
	if i.To != "" {
		attrs = append(attrs, slog.String("to", i.To))
	}
	return slog.GroupValue(append(attrs,
		slog.String("actor", i.Change.Actor), slog.String("reason", i.Change.Reason), slog.Uint64("revision", i.Revision))...)
}

// LogValue lays it out for package slog: flag, variant, reason, rule, revision and
// overridden. Whom the flag was decided for is left out, as it may be a person.
func (i ExposureInfo) LogValue() slog.Value {
	return slog.GroupValue(slog.String("flag", i.Key), slog.String("variant", i.Variant), slog.String("reason", i.Reason.String()),
		slog.Int("rule", i.Rule), slog.Uint64("revision", i.Revision), slog.Bool("overridden", i.Overridden))
}
