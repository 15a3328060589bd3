// Package yaml reads flag documents that people write as YAML, and changes them without
// touching what need not change.
//
// A file is turned into the JSON document that it stands for, and package flag reads that
// as it always does: nothing here knows what a flag is. Where package flag takes a
// [flag.Source], this one makes it of YAML:
//
//	flags, err := yaml.Open("flags.yaml")
//
// is flag.Open, and flag.New(yaml.From(source), options) is flag.New.
//
// # Places
//
// Every problem has the line and column of the file, whoever finds it: the YAML reader, or
// package flag when it compiles. [Lint] and [Parse] are exact. A store is given JSON that
// has everything on its line, and whatever is wrong at its column, too; so its errors, logs
// and status are about the file. Where JSON needs more room than the file has before a
// mistake on the first line, or between two on one line, the column is some characters too
// far right. What a store alone can find, a flag that is gone but was changed at run time
// or a variable of the environment, has its line. A block stands where its key does, and
// what an alias or a merge key brings in stands where that is.
//
// # What YAML means
//
//   - Scalars follow the core schema of YAML 1.2: without quotes, only true, false, null,
//     ~, nothing at all, and numbers are no strings. So on, off, yes, no, NO, 12:30, 1_000
//     and 2026-12-01 are strings: `serve: on` and `in: [SE, NO]` are what they seem, and
//     `disabled: yes` is refused, with its place.
//   - Numbers keep every digit, as in JSON: 9007199254740993 and 0.1 are what they say.
//     0x1F and 0o17 are whole numbers. Leading zeros, which are octal to some readers,
//     .inf and .nan are refused.
//   - Keys are strings. 404, true or null as a key is refused: put it in quotes. Duplicate
//     keys are refused, with both places.
//   - Anchors, aliases and merge keys (<<) are written out. A mapping's own keys win over
//     merged ones, and of several that are merged the first. What aliases bring in is at
//     most ten times as long as the file, and 1 MiB; circles are refused. An anchor that
//     belongs to no flag stands under a key of the document that begins with x-, which is
//     not read: `x-slow: &slow {ramp: {percent: 5}}`.
//   - A file is one document of at most 8 MiB, in UTF-8, with or without a byte order
//     mark. An empty file, one of comments only and a second document are refused.
//   - Tags other than those of the core schema are refused, as are tabs in indentation,
//     nesting deeper than 100 levels, and characters that only some readers take for the
//     end of a line. A surrogate pair of escapes, which JSON has, and a %YAML directive of
//     another version than 1.1 are refused by the reader of YAML.
//
// What is refused here is refused whole, so a store goes on with its last good document;
// with what package flag finds, one flag is quarantined and the others load, as ever.
//
// # Changes
//
// [Edit] makes a change to a document in the text of its file: comments, order, anchors,
// quotes and layout stay, and only the lines change that must. Where a comment or an
// anchor is in the way, it says which, and changes nothing.
//
// A file is replaced whole, written beside it and renamed: half a file of YAML is often a
// file with half of the flags (see [File]).
//
// Everything is safe for concurrent use.
package yaml
