package verify

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// BodyLimit is how many bytes of a body are read unless the suite says otherwise,
// 1 MiB. A body that is longer fails the test if it was to be compared.
const BodyLimit = 1 << 20

const userAgent = "guidon-verify"

// target is what requests are sent to.
type target interface {
	// exchange sends a request and reads the answer. It returns before its
	// context has been over for long, and leaves nothing behind.
	exchange(ctx context.Context, request *http.Request, e *exchanged) error

	// close is called when the run is over.
	close()
}

// request is what a test sends, once all that stood for something was filled in.
type request struct {
	url    *url.URL
	header http.Header
	body   string
}

// build returns a request for one exchange, which shares what it must not change.
func (r *request) build(method string) http.Request {
	built := http.Request{
		Method: method, URL: r.url, Host: r.url.Host, Header: r.header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if host := r.header.Get("Host"); host != "" {
		built.Host = host
	}
	r.fillBody(&built)
	return built
}

func (r *request) fillBody(built *http.Request) {
	if r.body != "" {
		built.Body, built.ContentLength = io.NopCloser(strings.NewReader(r.body)), int64(len(r.body))
	}
}

// usual is the header of a test that has none.
var usual = http.Header{"User-Agent": {userAgent}}

// canonical is a test's header as it is sent.
func canonical(header http.Header) http.Header {
	if len(header) == 0 {
		return usual
	}
	h := make(http.Header, len(header)+1)
	for name, values := range header {
		for _, v := range values {
			h.Add(name, v)
		}
	}
	if h.Get("User-Agent") == "" {
		h.Set("User-Agent", userAgent)
	}
	return h
}

// exchange sends a request, with the cookies that there are for it, and follows up
// to the test's number of redirects. What keeps it from doing so is a difference.
func (r *runner) exchange(ctx context.Context, t *test, spec *request, e *exchanged, d *differences) error {
	next := spec.build(t.Method)
	for left := t.Redirects; ; left-- {
		request := r.cookies.add(next.WithContext(ctx))
		e.Answer = Answer{}
		e.unzip = slices.ContainsFunc(request.Header["Accept-Encoding"], func(v string) bool { return strings.Contains(strings.ToLower(v), "gzip") })
		if request.Header["Cookie"] != nil { // of the jar
			e.cookies = true
			d.hide.saw(request.Header)
		}
		err := r.target.exchange(ctx, request, e)
		d.hide.saw(e.Header)
		if err != nil {
			return err
		}
		r.cookies.keep(request, e.Header)
		if t.Redirects == 0 || e.stuck || e.panicked != "" {
			return nil
		}
		switch location, bad := r.redirect(request, e); {
		case bad != "":
			d.add(KindRedirect, "redirect", "one to a path of the same host", bad)
			return nil
		case location == nil:
			return nil
		case left == 0:
			d.add(KindRedirect, "redirect", "at most "+strconv.Itoa(t.Redirects), "one more, to "+location.Path)
			return nil
		default:
			redirected(&next, location, e.Status, spec)
		}
	}
}

// redirect returns where an answer leads to, nil if it does not lead anywhere. It
// is always at the place the request was sent to: other hosts are refused, and so
// nothing that is meant for this one ever reaches another.
func (r *runner) redirect(request *http.Request, e *exchanged) (location *url.URL, bad string) {
	if !slices.Contains([]int{301, 302, 303, 307, 308}, e.Status) || e.Header.Get("Location") == "" {
		return nil, ""
	}
	asked := *request.URL
	asked.Host = request.Host
	to, err := asked.Parse(e.Header.Get("Location"))
	if err != nil {
		return nil, "one to what is not a URL"
	}
	same := strings.EqualFold(host(to), host(&asked)) && (to.Scheme == asked.Scheme || r.inside && to.Scheme == "https")
	if !same {
		return nil, "one to " + to.Scheme + "://" + to.Host
	}
	location = &url.URL{Scheme: request.URL.Scheme, Host: request.URL.Host, Path: to.Path, RawPath: to.RawPath, RawQuery: to.RawQuery}
	if location.Path == "" {
		location.Path = "/"
	}
	return location, ""
}

// host is a URL's host, and its port if that is not the one of its scheme anyway.
func host(u *url.URL) string {
	usual := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	return strings.TrimSuffix(strings.TrimSuffix(u.Host, ":"+usual), ":")
}

// redirected makes a request the next one. As everywhere on the web, what is not to
// be repeated becomes a GET without a body.
func redirected(next *http.Request, location *url.URL, status int, spec *request) {
	next.URL = location
	post := next.Method == http.MethodPost
	if next.Method == http.MethodHead || status != http.StatusSeeOther && (!post || status > http.StatusSeeOther) {
		if next.Body != nil {
			spec.fillBody(next)
		}
		return
	}
	next.Method, next.Body, next.ContentLength = http.MethodGet, nil, 0
	next.Header = next.Header.Clone()
	for name := range next.Header {
		if strings.HasPrefix(name, "Content-") {
			delete(next.Header, name)
		}
	}
}

// read keeps what came, and the body up to the limit.
func (e *exchanged) read(response *http.Response) error {
	e.Status, e.Header, e.TLS = response.StatusCode, response.Header, response.TLS
	if e.Status == http.StatusSwitchingProtocols {
		return nil // what follows is no body
	}
	var body io.Reader = response.Body
	size := int64(0)
	if e.unzip && strings.EqualFold(response.Header.Get("Content-Encoding"), "gzip") {
		unzipped, err := gzip.NewReader(body)
		switch {
		case errors.Is(err, io.EOF): // there is no body to unzip
			return nil
		case err != nil:
			return err
		}
		body = unzipped
	} else {
		size = max(0, min(response.ContentLength, int64(e.limit)))
	}
	buffer := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead))
	e.limited = io.LimitedReader{R: body, N: int64(e.limit) + 1}
	_, err := buffer.ReadFrom(&e.limited)
	e.Body = buffer.Bytes()
	if e.long = len(e.Body) > e.limit; e.long {
		e.Body = e.Body[:e.limit]
	}
	return err
}
