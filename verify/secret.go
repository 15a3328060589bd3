package verify

import (
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// Secret is a text that no report shows: it prints as "[secret]", whatever prints
// it. What needs the text itself converts it: string(s).
type Secret string

const (
	hidden      = "[secret]"
	leastSecret = 4
	mostSecret  = 4 << 10
	leastPart   = 8 // of a cookie, or a part of a credential
)

// String is "[secret]".
func (s Secret) String() string { return hidden }

// GoString is "[secret]".
func (s Secret) GoString() string { return hidden }

// Format prints "[secret]" for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText is "[secret]", for JSON and others.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue is "[secret]", for package slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// secrets checks those of a suite. A problem names a secret and shows nothing of it.
func (c *compiler) secrets(s *Suite) {
	for _, name := range sortedKeys(s.Secrets) {
		at := jsontree.Join("Secrets", name)
		if !isName(name) {
			c.add(at, "want a name of letters, digits, '_' and '-', found %q", name)
		}
		switch text := string(s.Secrets[name]); {
		case len(text) < leastSecret || len(text) > mostSecret:
			c.add(at, "want %d to %d bytes, found %d", leastSecret, mostSecret, len(text))
		case !utf8.ValidString(text):
			c.add(at, "want UTF-8")
		}
	}
}

// hide returns what hides the suite's secrets, and the credentials that stand in its
// tests. A run adds those that it sends and gets.
func (s *Suite) hide() *hider {
	h := &hider{}
	for _, secret := range s.Secrets {
		h.add(string(secret), leastSecret)
	}
	for _, list := range [][]SmokeTest{s.Setup, s.Tests, s.Cleanup} {
		for i := range list {
			for name, values := range list[i].Header {
				h.saw(http.Header{name: slices.DeleteFunc(slices.Clone(values), refers)}) // which are filled in later
			}
		}
	}
	return h
}

// credentials are the headers whose values are secret, whoever sends them.
var credentials = []string{"Authorization", "Cookie", "Proxy-Authorization", "Set-Cookie", "X-Api-Key"}

func isCredential(name string) bool {
	return slices.ContainsFunc(credentials, func(c string) bool { return strings.EqualFold(c, name) })
}

// saw hides what a header of a request or an answer carries. Of cookies, short
// values are left: they are words more often than secrets.
func (h *hider) saw(header http.Header) {
	for name, values := range header {
		if !isCredential(name) {
			continue
		}
		for _, v := range values {
			h.credential(http.CanonicalHeaderKey(name), v)
		}
	}
}

func (h *hider) credential(name, value string) {
	switch name {
	case "Cookie":
		for pair := range strings.SplitSeq(value, ";") {
			h.cookie(pair)
		}
		return
	case "Set-Cookie":
		pair, _, _ := strings.Cut(value, ";")
		h.cookie(pair)
		return
	}
	value = strings.TrimSpace(value)
	h.add(value, leastSecret)
	end := strings.IndexAny(value, " \t")
	if end < 0 {
		return
	}
	scheme, rest := value[:end], strings.TrimSpace(value[end:])
	h.add(rest, leastSecret)
	if strings.EqualFold(scheme, "Basic") {
		pair, _ := base64.RawStdEncoding.DecodeString(strings.TrimRight(rest, "="))
		_, password, _ := strings.Cut(string(pair), ":")
		h.add(password, leastSecret)
	}
	for parameter := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(parameter, "=")
		if !slices.Contains(open, strings.ToLower(strings.TrimSpace(name))) {
			h.add(strings.Trim(value, " \t\""), leastPart)
		}
	}
}

// open are the parameters of the Digest scheme that are no secrets.
var open = []string{"username", "realm", "uri", "qop", "nc", "algorithm"}

func (h *hider) cookie(pair string) {
	_, value, _ := strings.Cut(pair, "=")
	value = strings.Trim(value, " \t\"")
	h.add(value, leastPart)
	if plain, err := url.QueryUnescape(value); err == nil {
		h.add(plain, leastPart)
	}
}

// carried are the names of captures that tests send as credentials: they are secret
// before they are sent, and if they never are.
func carried(tests []test) map[string]bool {
	names := map[string]bool{}
	for i := range tests {
		for header, values := range tests[i].fill.templates.header {
			for _, part := range slices.Concat(values...) {
				if isCredential(header) && part.name != "" {
					names[part.name] = true
				}
			}
		}
	}
	return names
}

// values are the suite's secrets under their names, as captures are.
func (s *Suite) values() map[string]capture {
	values := make(map[string]capture, len(s.Secrets))
	for name, secret := range s.Secrets {
		values[name] = capture{name: name, kind: jsontree.String, text: string(secret), secret: true}
	}
	return values
}
