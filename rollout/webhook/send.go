package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/guidon-go/guidon/rollout"
)

// Payload is the body of a request.
type Payload struct {
	Type      string         `json:"type"`      // "rollout." and the notice's kind: "rollout.rolling_back"
	Timestamp time.Time      `json:"timestamp"` // of the notice, whenever it is sent
	Text      string         `json:"text"`      // the notice in one line for people
	Data      rollout.Notice `json:"data"`      // the notice
}

// refusal is an answer that is no receipt.
type refusal struct {
	status int
	after  time.Duration // before which it asks for nothing
}

func (r refusal) Error() string {
	return fmt.Sprintf("found status %d, want 2xx", r.status)
}

// send makes one attempt.
func (s *sender) send(ctx context.Context, n rollout.Notice) error {
	body, err := json.Marshal(Payload{"rollout." + string(n.Kind), n.At, n.String(), n})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.options.URL, bytes.NewReader(body))
	if err != nil {
		return errors.New("the request cannot be made") // its error may show the URL
	}
	maps.Copy(r.Header, s.options.Header)
	timestamp := strconv.FormatInt(time.Now().Unix(), 10)
	var signatures []string
	for _, key := range s.keys {
		signatures = append(signatures, sign(key, n.ID, timestamp, body))
	}
	for name, value := range map[string]string{
		"Content-Type": "application/json", "User-Agent": "guidon",
		headerID: n.ID, headerTimestamp: timestamp, headerSignature: strings.Join(signatures, " "),
	} {
		r.Header.Set(name, value)
	}
	answer, err := s.client.Do(r)
	if err != nil {
		var with *url.Error
		if errors.As(err, &with) { // which shows the URL
			err = with.Err
		}
		return err
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, 4<<10) // so that the connection can be used again
	switch {
	case answer.StatusCode/100 == 2:
		return nil
	case answer.StatusCode == http.StatusGone:
		return ErrGone
	}
	return refusal{answer.StatusCode, retryAfter(answer.Header.Get("Retry-After"))}
}

// retryAfter reads seconds, or a date.
func retryAfter(text string) time.Duration {
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, maxAfter)
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(time.Until(at), 0), maxAfter)
}
