package verify

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
)

// cookies is the jar of one run, nil if there is none.
type cookies struct {
	jar    *cookiejar.Jar
	secure bool // whether everything counts as encrypted, as in front of a handler it will be
}

func newCookies(inside bool) *cookies {
	jar, _ := cookiejar.New(nil) // fails never
	return &cookies{jar, inside}
}

// url is what cookies belong to.
func (c *cookies) url(request *http.Request) *url.URL {
	u := *request.URL
	u.Host = request.Host
	if c.secure {
		u.Scheme = "https"
	}
	return &u
}

// add puts the cookies that go with a request into it.
func (c *cookies) add(request *http.Request) *http.Request {
	if c == nil {
		return request
	}
	list := c.jar.Cookies(c.url(request))
	if len(list) == 0 {
		return request
	}
	request.Header = request.Header.Clone()
	for _, cookie := range list {
		request.AddCookie(cookie)
	}
	return request
}

func (c *cookies) keep(request *http.Request, header http.Header) {
	if c == nil {
		return
	}
	if list := set(header); len(list) > 0 {
		c.jar.SetCookies(c.url(request), list)
	}
}

// set returns the cookies that an answer sets.
func set(header http.Header) []*http.Cookie { return (&http.Response{Header: header}).Cookies() }
