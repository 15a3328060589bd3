package verify_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/verify"
)

// certificate returns one of the server's own, valid for an hour unless changed.
func certificate(t *testing.T, change func(*x509.Certificate)) (tls.Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if change != nil {
		change(c)
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	require.NoError(t, err)
	c, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(c)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func secure(t *testing.T, c tls.Certificate, handler http.Handler) *httptest.Server {
	server := httptest.NewUnstartedServer(handler)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{c}}
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func TestTLS(t *testing.T) {
	nothingStays(t)
	proto := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"proto": r.Proto, "name": r.TLS.ServerName})
	})
	tests := []struct {
		name   string
		change func(*x509.Certificate)
		config func(*x509.CertPool) *tls.Config
		want   string
	}{
		{"roots of its own, and HTTP/2", nil, func(roots *x509.CertPool) *tls.Config { return &tls.Config{RootCAs: roots} }, ""},
		{"self-signed", nil, func(*x509.CertPool) *tls.Config { return nil }, "certificate signed by unknown authority"},
		{"expired", func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }, func(roots *x509.CertPool) *tls.Config { return &tls.Config{RootCAs: roots} }, "certificate has expired"},
		{"of another host", func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"other.example"} }, func(roots *x509.CertPool) *tls.Config { return &tls.Config{RootCAs: roots} }, "certificate"},
		{"of the host that is asked for", func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"shop.example"} }, func(roots *x509.CertPool) *tls.Config {
			return &tls.Config{RootCAs: roots, ServerName: "shop.example"}
		}, ""},
		{"no version in common", nil, func(roots *x509.CertPool) *tls.Config {
			return &tls.Config{RootCAs: roots, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
		}, "protocol version"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, roots := certificate(t, tt.change)
			server := secure(t, c, proto)
			suite := verify.Suite{URL: server.URL, TLS: tt.config(roots), Tests: []verify.SmokeTest{
				{Endpoint: "/", ExpectedResponse: map[string]any{"proto": "HTTP/2.0"}},
			}}
			report := suite.Probe(t.Context())
			require.Empty(t, report.Problems)
			if tt.want == "" {
				require.True(t, report.Healthy(), report)
				if p := report.Results[0].Phases; p.TLS <= 0 || p.Connect <= 0 || p.FirstByte < p.TLS || p.DNS != 0 {
					t.Errorf("got phases %+v", p)
				}
				return
			}
			require.Len(t, report.Results[0].Mismatches, 1)
			require.Equal(t, verify.KindTransport, report.Results[0].Mismatches[0].Kind)
			require.Contains(t, report.Results[0].Mismatches[0].Got, tt.want)
		})
	}
}

func TestCertificatesMustBeVerified(t *testing.T) {
	suite := verify.Suite{URL: "https://localhost", TLS: &tls.Config{InsecureSkipVerify: true}, Tests: []verify.SmokeTest{{Endpoint: "/"}}}
	if diff := cmp.Diff([]string{"TLS: want certificates to be verified; RootCAs may have those of your own"}, suite.Probe(t.Context()).Problems); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
