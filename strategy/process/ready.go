package process

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// probeTimeout is how long a child may think about whether it is ready.
const probeTimeout = 2 * time.Second

// probe asks the children that are not ready yet, all at once, and says whether one
// has become so.
func (f *Fleet) probe(ctx context.Context) bool {
	short, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	var all sync.WaitGroup
	var news atomic.Bool
	for _, c := range f.children {
		if !c.stays() || c.Ready {
			continue
		}
		all.Go(func() {
			err := c.ready(short, f.options.Ready)
			switch {
			case err == nil:
				c.Ready = true
				c.release()
				news.Store(true)
			case ctx.Err() == nil || c.why == "": // otherwise we only have no more time
				c.why = err.Error()
			}
		})
	}
	all.Wait()
	return news.Load()
}

// ready asks the child, at a path if there is one.
func (c *child) ready(ctx context.Context, path string) error {
	if path == "" {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", c.Addr)
		if err != nil {
			return err
		}
		return conn.Close()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.Addr+path, nil)
	if err != nil {
		return err
	}
	request.Close = true // its connection would be one of a child that may go
	response, err := c.transport.RoundTrip(request)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10))
	if err := response.Body.Close(); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: found %s, want 200", path, response.Status)
	}
	return nil
}
