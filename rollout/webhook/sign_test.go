package webhook_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/guidon-go/guidon/rollout/webhook"
	"github.com/stretchr/testify/require"
)

// The vector that the libraries of Standard Webhooks are tested with.
const (
	vectorSecret    = webhook.Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	vectorID        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	vectorTime      = 1614265330
	vectorBody      = `{"test": 2432232314}`
	vectorSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

func vector() http.Header {
	h := http.Header{}
	h.Set("webhook-id", vectorID)
	h.Set("webhook-timestamp", fmt.Sprint(vectorTime))
	h.Set("webhook-signature", vectorSignature)
	return h
}

func TestVector(t *testing.T) {
	const other = webhook.Secret("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	at := time.Unix(vectorTime, 0)
	tests := []struct {
		name    string
		spoil   func(http.Header)
		body    string
		now     time.Time
		secrets []webhook.Secret
		want    string // empty is yes
	}{
		{name: "as it is"},
		{name: "without a prefix", secrets: []webhook.Secret{vectorSecret[len("whsec_"):]}},
		{name: "one of two secrets", secrets: []webhook.Secret{other, vectorSecret}},
		{name: "one of many signatures", spoil: func(h http.Header) {
			h.Set("webhook-signature", "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= v1a,odd "+vectorSignature)
		}},
		{name: "at the limit", now: at.Add(5 * time.Minute)},
		{name: "another secret", secrets: []webhook.Secret{other}, want: "webhook-signature: is not by any of the secrets"},
		{name: "another body", body: `{"test": 2432232315}`, want: "webhook-signature"},
		{name: "another ID", spoil: func(h http.Header) { h.Set("webhook-id", "msg_2") }, want: "webhook-signature"},
		{name: "another time", spoil: func(h http.Header) { h.Set("webhook-timestamp", fmt.Sprint(vectorTime+1)) }, want: "webhook-signature"},
		{name: "a part", spoil: func(h http.Header) { h.Set("webhook-signature", "v1,") }, want: "webhook-signature"},
		{name: "another version", spoil: func(h http.Header) { h.Set("webhook-signature", "v2"+vectorSignature[2:]) }, want: "webhook-signature"},
		{name: "no ID", spoil: func(h http.Header) { h.Del("webhook-id") }, want: "webhook-id: missing"},
		{name: "no time", spoil: func(h http.Header) { h.Del("webhook-timestamp") }, want: `webhook-timestamp: found ""`},
		{name: "no signature", spoil: func(h http.Header) { h.Del("webhook-signature") }, want: "webhook-signature"},
		{name: "too old", now: at.Add(5*time.Minute + time.Second), want: "webhook-timestamp: 5m1s from now, want at most 5m0s"},
		{name: "too new", now: at.Add(-5*time.Minute - time.Second), want: "webhook-timestamp: 5m1s from now, want at most 5m0s"},
		{name: "no secret", secrets: []webhook.Secret{}, want: "secrets: none, want one at least"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			header, body := vector(), vectorBody
			if tt.spoil != nil {
				tt.spoil(header)
			}
			if tt.body != "" {
				body = tt.body
			}
			if tt.now.IsZero() {
				tt.now = at
			}
			if tt.secrets == nil {
				tt.secrets = []webhook.Secret{vectorSecret}
			}
			err := webhook.Verify(header, []byte(body), tt.now, tt.secrets...)
			if tt.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, tt.want)
			}
		})
	}
}

// TestSecretsAreHidden: whatever prints them, and whatever is wrong with them.
func TestSecretsAreHidden(t *testing.T) {
	o := webhook.Options{Secrets: []webhook.Secret{vectorSecret}}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", vectorSecret, "options", o)
	text, err := json.Marshal(o.Secrets)
	require.NoError(t, err)
	all := fmt.Sprintf("%v %+v %#v %s %q %x", o, o, o, vectorSecret, vectorSecret, vectorSecret) + log.String() + string(text)
	for _, bad := range []webhook.Secret{"whsec_MfKQ", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!"} {
		all += fmt.Sprint(webhook.Verify(vector(), nil, time.Unix(vectorTime, 0), bad))
	}
	require.NotContains(t, all, "MfKQ")
	require.Contains(t, all, "[secret]")
	require.Contains(t, all, "secrets[0]: found 3 bytes, want 24 to 64")
}
