package main

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// load is users who never stop.
type load struct {
	done    chan struct{}
	working sync.WaitGroup
	mu      sync.Mutex
	seen    seen
}

// seen is what they got.
type seen struct {
	right, wrong map[string]int // answers by the version that gave them
	lost         int            // no answer, or one that no version gave
}

func startLoad(url string) *load {
	l := &load{done: make(chan struct{}), seen: seen{right: map[string]int{}, wrong: map[string]int{}}}
	const workers = 4
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: workers}}
	for worker := range workers {
		l.working.Go(func() {
			for i := worker; ; i += workers {
				select {
				case <-l.done:
					return
				case <-time.After(2 * time.Millisecond):
				}
				l.ask(client, url+"/cart", fmt.Sprintf("user-%d", i%5000))
			}
		})
	}
	return l
}

func (l *load) ask(client *http.Client, url, user string) {
	request, err := http.NewRequest("GET", url, nil)
	must(err)
	request.Header.Set("User", user)
	version, status := "", 0
	if response, err := client.Do(request); err == nil {
		if _, err := io.Copy(io.Discard, response.Body); err == nil {
			version, status = response.Header.Get("Served-By"), response.StatusCode
		}
		response.Body.Close()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case version == "":
		l.seen.lost++
	case status == http.StatusOK:
		l.seen.right[version]++
	default:
		l.seen.wrong[version]++
	}
}

// stop ends the load and says what all of them got.
func (l *load) stop() seen {
	close(l.done)
	l.working.Wait()
	return l.seen
}

// String is "v1 answered 412 requests, v2 answered 803, v3 answered 30 and 28 of them wrong; lost: 0".
func (s seen) String() string {
	var parts []string
	for _, version := range slices.Sorted(maps.Keys(s.right)) {
		part := fmt.Sprintf("%s answered %d requests", version, s.right[version]+s.wrong[version])
		if n := s.wrong[version]; n > 0 {
			part += fmt.Sprintf(", %d of them wrong", n)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "; ") + fmt.Sprintf("; lost: %d", s.lost)
}
