package yaml

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/guidon-go/guidon/flag"
)

const (
	stillFor   = time.Second            // so long a file that has changed must not change
	stillFirst = 100 * time.Millisecond // and so long the first, for which a process waits
	maxWaits   = 10
)

// still is a file that is read once it has stood still: the first half of a file is often
// a file as well in YAML, with half of the flags.
type still struct {
	source flag.Source
	path   string

	mu   sync.Mutex // guards last
	last []byte     // what stood still last, nil if nothing has yet
}

func (s *still) Read(ctx context.Context) ([]byte, error) {
	s.mu.Lock()
	last, wait := s.last, stillFor
	s.mu.Unlock()
	if last == nil {
		wait = stillFirst
	}
	data, err := s.source.Read(ctx)
	if err != nil || last != nil && bytes.Equal(data, last) {
		return data, err
	}
	// A file that was written long ago has stood still since then.
	info, err := os.Stat(s.path)
	stands := err == nil && time.Since(info.ModTime()) >= wait
	for range maxWaits {
		if stands {
			s.mu.Lock()
			s.last = data
			s.mu.Unlock()
			return data, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
		before := data
		if data, err = s.source.Read(ctx); err != nil {
			return nil, err
		}
		stands = bytes.Equal(before, data)
	}
	return nil, fmt.Errorf("%s: read %d times in %v, and it had changed; want a file that is replaced whole", s.path, maxWaits+1, maxWaits*wait)
}

// String is the path; it names the source in errors.
func (s *still) String() string { return s.path }
