package flag

import (
	"net/netip"
	"strings"
	"testing"
)

// FuzzAddress: what the check lets through is what package netip reads.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{"", "1.2.3.4", "01.2.3.4", "1.2.3", "1.2.3.4.5", "256.1.1.1", "::", "::1", "1::", "1::2", ":::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::",
		"::2:3:4:5:6:7:8", "::1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8:9", "1::2::3", "::ffff:1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3", "12345::", "g::", "fe80::1%eth0", "1:", ":1", "1:2:3:4::5:6:7:8", "1.2.3.4:1", "::1:"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want, err := netip.ParseAddr(s)
		ok := err == nil && !strings.Contains(s, "%")
		got, is := address(s)
		if is != ok || is && got != want.Unmap() {
			t.Errorf("%q: got %v, %v, want %v, %v", s, got, is, want, ok)
		}
	})
}
