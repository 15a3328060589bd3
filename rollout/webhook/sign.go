package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Secret is what both sides know: "whsec_" and the base64 of 24 to 64 random bytes; the
// prefix may be left out. It prints as "[secret]", whatever prints it.
type Secret string

const hidden = "[secret]"

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

// key is the bytes that it stands for.
func (s Secret) key() ([]byte, error) {
	const least, most = 24, 64
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(string(s), "whsec_"))
	switch {
	case err != nil: // which would show a part of it
		return nil, errors.New(`found no base64, want "whsec_" and the base64 of 24 to 64 random bytes`)
	case len(key) < least || len(key) > most:
		return nil, fmt.Errorf("found %d bytes, want %d to %d", len(key), least, most)
	}
	return key, nil
}

// keysOf are those of all secrets, or everything that is wrong with them.
func keysOf(secrets []Secret) (keys [][]byte, err error) {
	if len(secrets) == 0 {
		return nil, errors.New("secrets: none, want one at least")
	}
	var problems []error
	for i, s := range secrets {
		key, err := s.key()
		if err != nil {
			problems = append(problems, fmt.Errorf("secrets[%d]: %w", i, err))
		}
		keys = append(keys, key)
	}
	return keys, errors.Join(problems...)
}

const (
	headerID        = "Webhook-Id"
	headerTimestamp = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"
	tolerance       = 5 * time.Minute
)

// sign is the signature of a message under one key.
func sign(key []byte, id, timestamp string, body []byte) string {
	h := hmac.New(sha256.New, key)
	_, _ = io.WriteString(h, id+"."+timestamp+".")
	_, _ = h.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// Verify is for receivers: it says no unless the body was signed under one of the
// secrets, at a time that is at most five minutes from now, by these headers. It does
// not know whether the ID, which is in the header webhook-id, came before.
func Verify(header http.Header, body []byte, now time.Time, secrets ...Secret) error {
	keys, err := keysOf(secrets)
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	id, timestamp := header.Get(headerID), header.Get(headerTimestamp)
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	switch at := time.Unix(seconds, 0); {
	case id == "":
		return errors.New("webhook: webhook-id: missing")
	case err != nil:
		return fmt.Errorf("webhook: webhook-timestamp: found %.40q, want the seconds since 1970", timestamp)
	case now.Sub(at).Abs() > tolerance:
		return fmt.Errorf("webhook: webhook-timestamp: %v from now, want at most %v", now.Sub(at).Abs().Round(time.Second), tolerance)
	}
	for _, found := range strings.Fields(header.Get(headerSignature)) {
		for _, key := range keys {
			if hmac.Equal([]byte(found), []byte(sign(key, id, timestamp, body))) {
				return nil
			}
		}
	}
	return errors.New("webhook: webhook-signature: is not by any of the secrets")
}
