package flaghttp

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	minKey   = 16   // bytes
	maxToken = 3500 // bytes, so that a cookie has room for its name and the rest
)

// purpose keeps a token apart from whatever else is signed with the same key, although
// nothing should be.
const purpose = "guidon testers 1\x00"

var encoding = base64.RawURLEncoding.Strict()

// claims are what a token says: who has it gets these variants until then.
type claims struct {
	Variants map[string]string `json:"variants"`
	Until    int64             `json:"until"` // seconds since 1970
}

// Sign returns a token for the header or the cookie, which gives a variant to each of
// some flags until then, to the second. Whether there are such flags and variants is
// asked when it is used. Whoever has the token can use it: hand it out over TLS, for
// hours or days, and let cookies be HttpOnly and Secure. To take one back, change the
// key. The error is everything that is wrong.
func (t *Testers) Sign(variants map[string]string, until time.Time) (string, error) {
	var problems []error
	if len(variants) == 0 {
		problems = append(problems, errors.New("variants: found none, want at least one"))
	}
	for _, key := range slices.Sorted(maps.Keys(variants)) {
		if key == "" || variants[key] == "" {
			problems = append(problems, fmt.Errorf("variants: found %q for flag %q, want both", variants[key], key))
		}
		if !utf8.ValidString(key + "\x00" + variants[key]) { // JSON would make others of them
			problems = append(problems, fmt.Errorf("variants: found %q for flag %q, want UTF-8", variants[key], key))
		}
	}
	if until.Unix() <= time.Now().Unix() {
		problems = append(problems, fmt.Errorf("until: found %s, want a time to come", until.Format(time.RFC3339)))
	}
	payload, err := json.Marshal(claims{variants, until.Unix()})
	if err != nil {
		problems = append(problems, err)
	}
	said := encoding.EncodeToString(payload)
	token := said + "." + t.sum(said)
	if len(token) > maxToken {
		problems = append(problems, fmt.Errorf("variants: %d of them make %d bytes, want at most %d", len(variants), len(token), maxToken))
	}
	if err := errors.Join(problems...); err != nil {
		return "", fmt.Errorf("flaghttp: sign: %w", err)
	}
	return token, nil
}

// open returns the variants that a token gives. Nothing of it is read before its
// signature is known to be right.
func (t *Testers) open(token string, now time.Time) (map[string]string, error) {
	if len(token) > maxToken {
		return nil, fmt.Errorf("%w: found %d bytes, want at most %d", ErrForged, len(token), maxToken)
	}
	said, sum, _ := strings.Cut(token, ".")
	if !hmac.Equal([]byte(sum), []byte(t.sum(said))) {
		return nil, ErrForged
	}
	var c claims
	payload, err := encoding.DecodeString(said)
	if err == nil {
		err = json.Unmarshal(payload, &c)
	}
	if err != nil { // somebody else has the key
		return nil, fmt.Errorf("%w: %w", ErrForged, err)
	}
	if now.Unix() >= c.Until {
		return nil, fmt.Errorf("%w: %s", ErrExpired, time.Unix(c.Until, 0).UTC().Format(time.RFC3339))
	}
	return c.Variants, nil
}

// sum is the signature.
func (t *Testers) sum(said string) string {
	mac := hmac.New(sha256.New, t.key)
	mac.Write([]byte(purpose))
	mac.Write([]byte(t.header + "\x00")) // a token is for the testers of its name alone
	mac.Write([]byte(said))
	return encoding.EncodeToString(mac.Sum(nil))
}
