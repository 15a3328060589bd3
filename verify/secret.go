package verify

import (
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
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
	leastCookie = 8
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

// hide returns what hides the suite's secrets.
func (s *Suite) hide() hider {
	h := hider{}
	for _, name := range sortedKeys(s.Secrets) {
		h.add(string(s.Secrets[name]), leastSecret)
	}
	return h
}

// credentials are the headers whose values are secret, whoever sends them.
var credentials = []string{"Authorization", "Cookie", "Proxy-Authorization", "Set-Cookie", "X-Api-Key"}

func isCredential(name string) bool {
	for _, c := range credentials {
		if strings.EqualFold(c, name) {
			return true
		}
	}
	return false
}

// saw hides what a header of a request or an answer carries. Of cookies, short
// values are left: they are words more often than secrets.
func (h *hider) saw(header http.Header) {
	for _, name := range credentials {
		for _, v := range header[name] {
			h.credential(name, v)
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
	h.add(value, leastSecret)
	scheme, rest, found := strings.Cut(value, " ")
	if !found {
		return
	}
	h.add(rest, leastSecret)
	if !strings.EqualFold(scheme, "Basic") {
		return
	}
	if pair, err := base64.StdEncoding.DecodeString(strings.TrimSpace(rest)); err == nil {
		_, password, _ := strings.Cut(string(pair), ":")
		h.add(password, leastSecret)
	}
}

func (h *hider) cookie(pair string) {
	_, value, _ := strings.Cut(pair, "=")
	h.add(strings.Trim(value, ` "`), leastCookie)
}

// add hides one more text. Servers do not see the space around the value of a
// header, and so do not send it back.
func (h *hider) add(secret string, least int) {
	if trimmed := strings.TrimSpace(secret); len(trimmed) >= leastSecret {
		secret = trimmed
	}
	if len(secret) < least {
		return
	}
	for _, known := range h.secrets {
		if known == secret {
			return
		}
	}
	// without writing to memory that other tests' have, too
	h.secrets = append(h.secrets[:len(h.secrets):len(h.secrets)], secret)
	h.longest = max(h.longest, len(secret))
	h.needles = nil
}

// values are the suite's secrets under their names, as captures are.
func (s *Suite) values() map[string]capture {
	values := make(map[string]capture, len(s.Secrets))
	for name, secret := range s.Secrets {
		values[name] = capture{name: name, kind: jsontree.String, text: string(secret), secret: true}
	}
	return values
}
