package flag

import (
	"net/netip"
	"strings"
)

// address parses an IP address without a zone. Package netip would allocate for what
// is none, so only what is one reaches it.
func address(s string) (netip.Addr, bool) {
	if !isAddress(s) {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(s)
	return a.Unmap(), err == nil
}

func isAddress(s string) bool {
	if !strings.Contains(s, ":") {
		return isIPv4(s)
	}
	groups, gap := 0, false
	if strings.HasPrefix(s, "::") {
		s, gap = s[2:], true
		if s == "" {
			return true
		}
	}
	for {
		colon := strings.IndexByte(s, ':')
		group, last := s, colon < 0
		if !last {
			group = s[:colon]
		}
		switch {
		case last && strings.Contains(group, "."):
			groups += 2
			return isIPv4(group) && (groups == 8 || gap && groups < 8)
		case !isHex(group):
			return false
		}
		if groups++; groups > 8 || gap && groups == 8 {
			return false
		}
		if last {
			return groups == 8 || gap
		}
		if s = s[colon+1:]; strings.HasPrefix(s, ":") {
			if s = s[1:]; gap || groups == 8 {
				return false
			}
			if gap = true; s == "" {
				return true
			}
		}
	}
}

// isHex is a group of IPv6: one to four digits.
func isHex(s string) bool {
	for _, c := range []byte(s) {
		if !('0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F') {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 4
}

// isIPv4 is four numbers up to 255, without leading zeros.
func isIPv4(s string) bool {
	for i := range 4 {
		number, rest, more := strings.Cut(s, ".")
		if more != (i < 3) || number == "" || len(number) > 3 || number[0] == '0' && number != "0" {
			return false
		}
		n := 0
		for _, c := range []byte(number) {
			if c < '0' || c > '9' {
				return false
			}
			n = 10*n + int(c-'0')
		}
		if n > 255 {
			return false
		}
		s = rest
	}
	return true
}
