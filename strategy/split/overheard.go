package split

import (
	"bytes"
	"io"
)

// overheard is the body of a request that is to be copied. Reading it is what it would
// be without the copy.
type overheard struct {
	io.ReadCloser
	copy *duplicate
}

func (o *overheard) Read(p []byte) (int, error) {
	n, err := o.ReadCloser.Read(p)
	o.copy.heard(p[:n], err)
	return n, err
}

// heard is told of each part of the body that was read, one after the other.
func (d *duplicate) heard(part []byte, err error) {
	s := d.splitter
	switch {
	case d.decided.Load():
		return
	case int64(len(d.body)+len(part)) > s.o.MirrorBody:
		d.drop(&s.counts.large)
		return
	}
	d.body = append(d.body, part...)
	// Whoever knows the length may not read on to the end.
	if err == io.EOF || d.request.ContentLength == int64(len(d.body)) {
		d.request.Body = io.NopCloser(bytes.NewReader(d.body))
		d.request.ContentLength = int64(len(d.body))
		d.request.TransferEncoding = nil
		d.begin()
	}
}
