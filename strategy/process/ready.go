package process

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// probeTimeout is how long a child may think about whether it is ready.
const probeTimeout = 2 * time.Second

// reply is what a child said when it was asked whether it is ready.
type reply struct {
	child *child
	err   error // nil if it is
}

// probe asks the children that are not ready yet, all at once. What they say comes when
// all have said it; nobody has to hold the fleet's turn until then.
func (f *Fleet) probe(ctx context.Context) <-chan []reply {
	var asked []reply
	for _, c := range f.children {
		if c.stays() && !c.Ready {
			asked = append(asked, reply{child: c})
		}
	}
	if len(asked) == 0 {
		return nil
	}
	replies := make(chan []reply, 1)
	go func() {
		short, cancel := context.WithTimeout(ctx, probeTimeout)
		defer cancel()
		var all sync.WaitGroup
		for i := range asked {
			all.Go(func() { asked[i].err = asked[i].child.ready(short, f.options.Ready) })
		}
		all.Wait()
		replies <- asked
	}()
	return replies
}

// hear takes down what children have said, and says whether one has become ready.
func (f *Fleet) hear(ctx context.Context, replies []reply) (news bool) {
	for _, r := range replies {
		c := r.child
		switch {
		case !c.stays(): // any more
		case r.err == nil:
			c.Ready, news = true, true
			c.release()
		case ctx.Err() == nil || c.why == "": // otherwise we only have no more time
			c.why = r.err.Error()
		}
	}
	return news
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
