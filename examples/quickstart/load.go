package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// load sends real requests of a few thousand users until the context ends, at a
// bounded rate, and counts the answers.
type load struct {
	base     string
	answered atomic.Uint64
}

const (
	users   = 4000
	pace    = 2500 * time.Microsecond // one request each: 400 a second
	workers = 32
)

func (l *load) run(ctx context.Context) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: workers}, Timeout: 5 * time.Second}
	defer client.CloseIdleConnections()
	paths := make(chan string)
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			for path := range paths {
				l.send(ctx, client, path)
			}
		})
	}
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for i := 0; ctx.Err() == nil; i++ {
		select {
		case <-ctx.Done():
		case <-tick.C:
			select {
			case paths <- []string{"/search", "/checkout"}[i%2]:
			case <-ctx.Done():
			}
		}
	}
	close(paths)
	wait.Wait()
}

func (l *load) send(ctx context.Context, client *http.Client, path string) {
	url := fmt.Sprintf("%s%s?cart=%d", l.base, path, rand.IntN(1000))
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return
	}
	user := fmt.Sprint("user-", rand.IntN(users))
	if rand.IntN(100) == 0 {
		user = brokenAccounts[rand.IntN(len(brokenAccounts))]
	}
	request.Header.Set("X-User", user)
	response, err := client.Do(request)
	if err != nil {
		return
	}
	io.Copy(io.Discard, response.Body)
	response.Body.Close()
	l.answered.Add(1)
}
