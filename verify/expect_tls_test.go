package verify_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/verify"
)

const day = 24 * time.Hour

// issued is a certificate and its key.
type issued struct {
	*x509.Certificate
	key *ecdsa.PrivateKey
}

// issue makes a certificate that ends in some days. Without an issuer it signs itself.
func issue(name string, days int, authority bool, by *issued, key *ecdsa.PrivateKey) *issued {
	if key == nil {
		key = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(int64(days)), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-day), NotAfter: started.Add(time.Duration(days) * day),
		IsCA: authority, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	parent, signer := template, key
	if by != nil {
		parent, signer = by.Certificate, by.key
	}
	der := must(x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer))
	return &issued{must(x509.ParseCertificate(der)), key}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// started is cut to what a certificate can say.
var started = time.Now().UTC().Truncate(time.Second)

// The roots are one authority with two certificates, and another. They are the
// system's roots of all tests, which are read once in a process.
var (
	soon  = issue("root", 30, true, nil, nil)
	late  = issue("root", 90, true, nil, soon.key)
	short = issue("short root", 10, true, nil, nil)
)

// trust makes them that, and returns the name of a file to remove.
func trust(roots ...*issued) string {
	file := must(os.CreateTemp("", "guidon-roots"))
	for _, root := range roots {
		if err := pem.Encode(file, &pem.Block{Type: "CERTIFICATE", Bytes: root.Raw}); err != nil {
			panic(err)
		}
	}
	if err := errors.Join(file.Close(), os.Setenv("SSL_CERT_FILE", file.Name())); err != nil {
		panic(err)
	}
	return file.Name()
}

func TestTLSExpiry(t *testing.T) {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		t.Skip("roots cannot be set from outside")
	}
	tests := []struct {
		name      string
		chain     []*issued // as the server sends it
		remaining time.Duration
		want      string
	}{
		{"its own certificate ends first", []*issued{issue("leaf", 20, false, late, nil)}, 20*day - time.Hour, ""},
		{"and is too short", []*issued{issue("leaf", 20, false, late, nil)}, 20*day + time.Hour, "CN=leaf"},
		{"14 days by default", []*issued{issue("leaf", 13, false, late, nil)}, 0, "CN=leaf"},
		{"14 days by default, which it has", []*issued{issue("leaf", 15, false, late, nil)}, 0, ""},
		{"the chain that lasts longest counts", []*issued{issue("leaf", 80, false, late, nil)}, 40 * day, ""},
		{"and ends with its certificate", []*issued{issue("leaf", 80, false, late, nil)}, 85 * day, "CN=leaf"},
		{"the one between", func() []*issued {
			between := issue("between", 15, true, late, nil)
			return []*issued{issue("leaf", 80, false, between, nil), between}
		}(), 20 * day, "CN=between"},
		{"the root", []*issued{issue("leaf", 80, false, short, nil)}, 20 * day, "CN=short root"},
		{"what the server sends beside its chain does not matter", []*issued{issue("leaf", 80, false, late, nil), short}, 20 * day, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			certificate := tls.Certificate{PrivateKey: tt.chain[0].key}
			for _, c := range tt.chain {
				certificate.Certificate = append(certificate.Certificate, c.Raw)
			}
			server := httptest.NewUnstartedServer(page(""))
			server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
			server.StartTLS()
			defer server.Close()
			suite := verify.Suite{URL: server.URL, Tests: []verify.SmokeTest{{
				Endpoint: "/", Expect: []verify.Expectation{
					verify.TLSExpiry{Remaining: tt.remaining},
					verify.Custom{Name: "the connection", Func: func(a verify.Answer) error {
						_ = a.TLS.VerifiedChains[0]
						return nil
					}},
				},
			}}}
			report := suite.Probe(t.Context())
			require.Len(t, report.Results, 1, report.Problems)
			got := report.Results[0].Mismatches
			if tt.want == "" {
				require.Empty(t, got)
				return
			}
			require.Len(t, got, 1)
			require.Equal(t, verify.KindTLS, got[0].Kind)
			ends := ""
			for _, c := range append(tt.chain, short) {
				if c.Subject.String() == tt.want {
					ends = tt.want + " ends at " + c.NotAfter.Format(time.RFC3339)
				}
			}
			require.NotEmpty(t, ends)
			require.True(t, strings.HasSuffix(got[0].Got, ": "+ends), got[0].Got)
		})
	}
}
