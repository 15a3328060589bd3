package verify

import "strings"

const noDigit, space = -1, -2

// digits are the values of those of base64, in both alphabets, and of hex.
var digits = map[int]*[256]int8{
	inBase64: values("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", "-_", 62),
	inHex:    values("0123456789abcdef", "ABCDEF", 10),
}

// values has a second alphabet that differs from one digit on.
func values(first, second string, from int) *[256]int8 {
	var list [256]int8
	for i := range list {
		list[i] = int8(strings.IndexByte(first, byte(i)))
	}
	for i := range len(second) {
		list[second[i]] = int8(from + i)
	}
	for _, c := range " \t\r\n" {
		list[c] = space
	}
	return &list
}

// decode returns what all runs of digits stand for, with what is in no text between
// them. White space does not end a run: base64 is broken into lines.
func (v *view) decode(e escape) (plain view, changed bool) {
	w := writer{of: v}
	values := digits[e.kind]
	begin := 0                   // of the run, in what is written
	count, have, bits := 0, 0, 0 // of its digits, and what is not yet written of them
	first := 0                   // where the next byte begins
	for i := 0; i <= len(v.text); i++ {
		digit := int8(noDigit)
		if i < len(v.text) {
			digit = values[v.text[i]]
		}
		switch {
		case digit == space:
		case digit == noDigit:
			if len(w.text)-begin < leastSecret { // nothing secret is that short
				w.text, w.froms, w.tos = w.text[:begin], w.froms[:begin], w.tos[:begin]
			} else {
				changed = true
				w.write(0xff, i-1, i-1)
			}
			begin, count, have = len(w.text), 0, 0
		case count < e.skip:
			count++
		default:
			if have == 0 {
				first = i
			}
			bits, have = bits<<e.bits&0xffff|int(digit), have+e.bits
			if have >= 8 {
				have -= 8
				w.write(byte(bits>>have), first, i)
				first = i
			}
		}
	}
	return w.view(), changed
}
