package flaghttp

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/guidon-go/guidon/flag"
)

// SourceOptions tune a Source. Every zero is right for most.
type SourceOptions struct {
	// Header goes with each request: an Authorization, say. It never shows in an
	// error. The map is copied.
	Header http.Header
	// Client sends the requests, and follows redirects as it does, but none to another
	// host or port, or from https to anything else: the header would go there. Nil is
	// one like [http.DefaultClient]. The client is copied.
	Client *http.Client
	// Timeout is how long one request may take, with its redirects and the whole
	// answer. Zero means 10 s.
	Timeout time.Duration
	// Limit is the size of the largest document in bytes, uncompressed. Zero means
	// 64 MiB.
	Limit int64
	// Pause is the longest time without a request after failures in a row, unless the
	// server asks for more. Zero means a minute.
	Pause time.Duration
}

const (
	defaultTimeout = 10 * time.Second
	defaultLimit   = 64 << 20
	defaultPause   = time.Minute
	firstPause     = time.Second
	maxAfter       = time.Hour // of what a server may ask for
	maxRedirects   = 10        // as net/http has it
)

// Source reads a document from a URL, and asks whether it has changed instead of
// fetching it again where the server tells by an ETag or Last-Modified.
//
// After a failure it does not ask again for a while: at random up to one second after
// the first, then up to two, four, and so on to [SourceOptions.Pause] (full jitter, of
// Brooker, "Exponential Backoff and Jitter", 2015); and not before the server's
// Retry-After, of at most an hour. Until then Read returns the same error at once.
//
// What may be secret in a URL, its user and its query, is in no error. A Source is for
// one store: two goroutines must not read it at once.
type Source struct {
	url     url.URL
	name    string
	client  http.Client
	options SourceOptions

	etag, modified string // of the copy
	copy           []byte // what the server said last; nil if nothing
	failures       uint   // in a row
	again          time.Time
	err            error // of the last failure, if any since the last answer
}

// NewSource returns a source for a URL of http or https. It asks for nothing yet.
func NewSource(address string, options SourceOptions) (*Source, error) {
	s := &Source{name: "URL", options: options}
	var problems []error
	u, err := url.Parse(address)
	switch {
	case err != nil: // it says what it stumbled over, which may be half a password
		problems = append(problems, errors.New("the URL: found none, want http or https, and a host"))
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		problems = append(problems, fmt.Errorf("the URL: found scheme %q and host %q, want http or https, and a host", u.Scheme, u.Host))
	default:
		s.url, s.name = *u, u.Scheme+"://"+u.Host+u.EscapedPath()
	}
	for _, o := range []struct {
		name     string
		negative bool
		found    any
	}{
		{"Timeout", options.Timeout < 0, options.Timeout},
		{"Limit", options.Limit < 0, options.Limit},
		{"Pause", options.Pause < 0, options.Pause},
	} {
		if o.negative {
			problems = append(problems, fmt.Errorf("%s: found %v, want zero or more", o.name, o.found))
		}
	}
	if len(problems) > 0 {
		return nil, &flag.Error{Op: "new source", Key: s.name, Err: errors.Join(problems...)}
	}
	if options.Client != nil {
		s.client = *options.Client
	}
	s.client.CheckRedirect = stay(s.client.CheckRedirect)
	s.options.Header = options.Header.Clone()
	s.options.Timeout = cmp.Or(options.Timeout, defaultTimeout)
	s.options.Limit = cmp.Or(options.Limit, defaultLimit)
	s.options.Pause = cmp.Or(options.Pause, defaultPause)
	return s, nil
}

// stay refuses redirects to where the request's header and query were not meant to go,
// and leaves the others to the client's own check.
func stay(check func(*http.Request, []*http.Request) error) func(*http.Request, []*http.Request) error {
	return func(r *http.Request, via []*http.Request) error {
		to, from := r.URL, via[len(via)-1].URL
		switch {
		case !strings.EqualFold(to.Host, from.Host):
			return fmt.Errorf("redirected to host %q, want %q: the request's header and query are not for others", to.Host, from.Host)
		case to.Scheme != from.Scheme && to.Scheme != "https":
			return fmt.Errorf("redirected from %s to %s, want https", from.Scheme, to.Scheme)
		case check != nil:
			return check(r, via)
		case len(via) >= maxRedirects:
			return fmt.Errorf("stopped after %d redirects", maxRedirects)
		}
		return nil
	}
}

// String is the URL without user, query and fragment; it names the source in errors.
func (s *Source) String() string { return s.name }

// Read returns what the server has, or says why not.
func (s *Source) Read(ctx context.Context) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.err != nil && time.Now().Before(s.again) {
		return nil, s.err
	}
	limited, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	after, err := s.ask(limited)
	switch {
	case err == nil:
		s.failures, s.err = 0, nil
		return slices.Clone(s.copy), nil
	case ctx.Err() != nil: // whoever asked has given up, which says nothing about the server
		return nil, ctx.Err()
	case limited.Err() != nil:
		err = fmt.Errorf("no whole answer within %v: %w", s.options.Timeout, limited.Err())
	}
	s.err = err
	s.again = time.Now().Add(after).Add(s.pause()) // whose sum may be longer than a Duration
	return nil, err
}

// pause is at random, so that a fleet does not ask all at once.
func (s *Source) pause() time.Duration {
	most := s.options.Pause
	if s.failures < 20 { // beyond which no pause is that short
		most = min(most, firstPause<<s.failures)
	}
	s.failures++
	return rand.N(most)
}

// ask makes the copy what the server has. With an error, it also returns for how long
// the server wants not to be asked.
func (s *Source) ask(ctx context.Context) (after time.Duration, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url.String(), nil)
	if err != nil {
		return 0, s.bare(err)
	}
	maps.Copy(request.Header, s.options.Header.Clone())
	if s.etag != "" {
		request.Header.Set("If-None-Match", s.etag)
	} else if s.modified != "" {
		request.Header.Set("If-Modified-Since", s.modified)
	}
	answer, err := s.client.Do(request)
	if err != nil {
		return 0, s.bare(err)
	}
	defer answer.Body.Close()
	switch {
	case answer.StatusCode == http.StatusNotModified && s.etag == "" && s.modified == "":
		return 0, errors.New("status 304 (not modified), but there is no copy that it can be about")
	case answer.StatusCode == http.StatusNotModified:
		return 0, nil
	case answer.StatusCode != http.StatusOK:
		_, _ = io.CopyN(io.Discard, answer.Body, 10<<10) // so that the connection can be used again
		return retryAfter(answer.Header), fmt.Errorf("status %d %s, want 200", answer.StatusCode, http.StatusText(answer.StatusCode))
	}
	switch kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type")); kind {
	case "text/html", "application/xhtml+xml":
		return 0, fmt.Errorf("found a page (%s), want a document in JSON: is it a login, or a proxy?", kind)
	}
	data, err := s.body(answer)
	if err != nil {
		return 0, err
	}
	s.copy, s.etag, s.modified = data, "", ""
	if json.Valid(data) { // half an answer may look whole, and would stay so until the document changes
		s.etag, s.modified = answer.Header.Get("ETag"), answer.Header.Get("Last-Modified")
	}
	return 0, nil
}

func (s *Source) body(answer *http.Response) ([]byte, error) {
	limit := s.options.Limit
	tooLong := fmt.Errorf("found more than %d bytes, which is the limit", limit)
	if answer.ContentLength > limit {
		return nil, tooLong
	}
	var data bytes.Buffer
	n, err := data.ReadFrom(io.LimitReader(answer.Body, limit))
	if n == limit && err == nil {
		var more [1]byte
		if n, end := io.ReadFull(answer.Body, more[:]); n > 0 {
			return nil, tooLong
		} else if !errors.Is(end, io.EOF) {
			err = end
		}
	}
	if err != nil {
		return nil, fmt.Errorf("the answer breaks off after %d bytes: %w", n, err)
	}
	return data.Bytes(), nil
}

// retryAfter is seconds or a date; what is neither asks for nothing.
func retryAfter(header http.Header) time.Duration {
	text := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, maxAfter)
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(time.Until(at), 0), maxAfter)
}

// bare is the error without what may be secret in a URL.
func (s *Source) bare(err error) error {
	var with *url.Error
	if errors.As(err, &with) {
		err = with.Err
	}
	secrets := []string{"://", "Location header", "proxy address", s.url.RawQuery}
	if user := s.url.User; user != nil {
		password, _ := user.Password()
		secrets = append(secrets, password)
	}
	for _, secret := range secrets {
		if len(secret) > 2 && strings.Contains(err.Error(), secret) {
			return errors.New("the request fails, for what cannot be said without its URL")
		}
	}
	return err
}
