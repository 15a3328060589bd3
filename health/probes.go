package health

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// HTTPOptions sets up [HTTP].
type HTTPOptions struct {
	Method string                // empty means GET
	Header http.Header           // sent with each request; nil is none
	Accept func(status int) bool // which statuses are well; nil means 200 to 299
	// Client sends the requests. Nil means one of its own, which follows no redirect,
	// takes no proxy from the environment, and opens a connection for each probe.
	Client *http.Client
}

// HTTP probes a URL. Status 429 is a warning: who is asked too often is there. The
// body is not looked at and never shows in an error, since it may be a stranger's; nor
// does what may be secret in the URL, its user and its query. A URL that cannot be used
// is unsure.
func HTTP(address string, o HTTPOptions) Probe {
	if o.Method == "" {
		o.Method = http.MethodGet
	}
	if o.Accept == nil {
		o.Accept = func(status int) bool { return status >= 200 && status < 300 }
	}
	if o.Client == nil {
		o.Client = &http.Client{
			Transport:     &http.Transport{DisableKeepAlives: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	return func(ctx context.Context) error {
		r, err := http.NewRequestWithContext(ctx, o.Method, address, nil)
		if err != nil {
			return Unsure(fmt.Errorf("the request cannot be made: %w", bare(err)))
		}
		if o.Header != nil {
			r.Header = o.Header.Clone()
		}
		asked := o.Method + " " + r.URL.Scheme + "://" + r.URL.Host + r.URL.EscapedPath()
		answer, err := o.Client.Do(r)
		if err != nil {
			return fmt.Errorf("%s: %w", asked, bare(err))
		}
		_, _ = io.CopyN(io.Discard, answer.Body, 10<<10) // so that a kept connection can be used again
		_ = answer.Body.Close()
		switch {
		case o.Accept(answer.StatusCode):
			return nil
		case answer.StatusCode == http.StatusTooManyRequests:
			return Warn(fmt.Errorf("%s: status 429", asked))
		}
		return fmt.Errorf("%s: status %d", asked, answer.StatusCode)
	}
}

// bare is the error without the URL that it happened to.
func bare(err error) error {
	var with *url.Error
	if errors.As(err, &with) {
		return with.Err
	}
	return err
}

// TCP probes whether something accepts connections at an address like "db:5432".
func TCP(address string) Probe {
	return func(ctx context.Context) error {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		return conn.Close()
	}
}

// DNS probes whether a name has an address.
func DNS(host string) Probe {
	return func(ctx context.Context) error {
		found, err := net.DefaultResolver.LookupHost(ctx, host)
		if err == nil && len(found) == 0 {
			return fmt.Errorf("%s has no address", host)
		}
		return err
	}
}

// TLS probes the certificates of a server at an address like "example.com:443": a
// chain that does not verify is a failure, and one that does but has a certificate
// which expires within early is a warning. Early zero means 14 days. A nil config is
// the default one.
func TLS(address string, early time.Duration, config *tls.Config) Probe {
	if early == 0 {
		early = 14 * 24 * time.Hour
	}
	return func(ctx context.Context) error {
		dialer := &tls.Dialer{Config: config}
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		state := conn.(*tls.Conn).ConnectionState()
		_ = conn.Close()
		if first := firstToExpire(state); first != nil && time.Until(first.NotAfter) < early {
			return Warn(fmt.Errorf("certificate of %s expires at %s", first.Subject, first.NotAfter.UTC().Format(time.RFC3339)))
		}
		return nil
	}
}

// firstToExpire looks at the chain that verified longest; without one, at what the
// server sent.
func firstToExpire(state tls.ConnectionState) (first *x509.Certificate) {
	chains := state.VerifiedChains
	if len(chains) == 0 {
		chains = [][]*x509.Certificate{state.PeerCertificates}
	}
	for _, chain := range chains {
		var earliest *x509.Certificate
		for _, c := range chain {
			if earliest == nil || c.NotAfter.Before(earliest.NotAfter) {
				earliest = c
			}
		}
		if first == nil || earliest != nil && earliest.NotAfter.After(first.NotAfter) {
			first = earliest
		}
	}
	return first
}

// Ping probes whatever has a PingContext, such as a *sql.DB.
func Ping(db interface {
	PingContext(ctx context.Context) error
}) Probe {
	return db.PingContext
}

// Disk probes whether the file system that holds a path has at least so many bytes
// free for this process. On a platform that cannot tell, it is unsure.
func Disk(path string, free uint64) Probe {
	return func(context.Context) error {
		found, err := diskFree(path)
		switch {
		case errors.Is(err, errors.ErrUnsupported):
			return Unsure(err)
		case err != nil:
			return fmt.Errorf("%s: %w", path, err)
		case found < free:
			return fmt.Errorf("%s: found %d bytes free, want at least %d", path, found, free)
		}
		return nil
	}
}
