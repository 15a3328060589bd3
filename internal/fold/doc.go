// Package fold finds text whatever its case: what strings.HasPrefix, HasSuffix and
// Contains would be to strings.EqualFold.
//
// The one idea: runes that are equal under Unicode simple case folding have one
// canonical rune, the least of them ('K' for 'k', 'K' and the Kelvin sign). A
// pattern is put into canonical runes once; a subject is, rune by rune, while it is
// read. So nothing is allocated, and one pass is enough. Invalid UTF-8 counts as
// U+FFFD, byte by byte.
package fold
