package jsontree

import (
	"strings"
	"unicode/utf8"
)

// Closest returns the known word that somebody who wrote word most likely
// meant, the first of several, or "" if none is close: a third of the letters
// may be wrong, missing, added or swapped, and case, '_' and '-' do not count.
func Closest(word string, known []string) string {
	best, least := "", 0
	written := []rune(fold(word))
	if len(written) > 64 {
		return ""
	}
	for _, k := range known {
		length := utf8.RuneCountInString(k)
		limit := max(1, min(len(written), length)/3)
		if best != "" {
			limit = min(limit, least-1)
		}
		if length-strings.Count(k, "_")-strings.Count(k, "-") > len(written)+limit {
			continue // without a copy of it
		}
		distance := edits(written, []rune(fold(k)), limit)
		if distance > limit || distance >= len(written) {
			continue
		}
		best, least = k, distance
	}
	return best
}

var noDashes = strings.NewReplacer("_", "", "-", "")

func fold(s string) string { return strings.ToLower(noDashes.Replace(s)) }

// edits counts the insertions, deletions, changes and swaps of neighbours that
// make b of a, as far as the limit.
func edits(a, b []rune, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	rows := make([]int, 3*(len(b)+1))
	before, row, next := rows[:len(b)+1], rows[len(b)+1:2*len(b)+2], rows[2*len(b)+2:]
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next[0] = i
		for j := 1; j <= len(b); j++ {
			change := row[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			next[j] = min(change, row[j]+1, next[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row, next = row, next, before
	}
	return row[len(b)]
}
