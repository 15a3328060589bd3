package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// load is users who place and read orders all the time.
type load struct {
	url     string
	client  *http.Client
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
	const workers, users = 4, 500
	l := &load{
		url: url, done: make(chan struct{}), seen: seen{right: map[string]int{}, wrong: map[string]int{}},
		client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: workers}},
	}
	totals := []string{"12.50", "7.99", "120.00", "19.99"}
	for worker := range workers {
		l.working.Go(func() {
			for i := worker; ; i += workers {
				select {
				case <-l.done:
					return
				case <-time.After(10 * time.Millisecond):
				}
				user, total := fmt.Sprintf("user-%d", i%users), totals[i/workers%len(totals)]
				if id := l.ask(user, "POST", "/orders", `{"item": "cup", "total": "`+total+`"}`, http.StatusCreated, total); id != "" {
					l.ask(user, "GET", "/orders/"+id, "", http.StatusOK, total)
				}
				l.ask(user, "GET", "/orders/"+oldID(i%oldOrders), "", http.StatusOK, oldTotal(i%oldOrders))
			}
		})
	}
	return l
}

// ask counts one request, and returns the order's ID if the answer is right.
func (l *load) ask(user, method, path, body string, status int, total string) (id string) {
	request, err := http.NewRequest(method, l.url+path, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	request.Header.Set("User", user)
	version, right := "", false
	var got receipt
	if response, err := l.client.Do(request); err == nil {
		if text, err := io.ReadAll(response.Body); err == nil {
			version = response.Header.Get("Served-By")
			right = response.StatusCode == status && json.Unmarshal(text, &got) == nil && got.Total == total
		}
		response.Body.Close()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case version == "":
		l.seen.lost++
	case right:
		l.seen.right[version]++
		return got.ID
	default:
		l.seen.wrong[version]++
	}
	return ""
}

// stop ends the load and says what all of them got.
func (l *load) stop() seen {
	close(l.done)
	l.working.Wait()
	return l.seen
}

// String is a line for each version, and one for what was lost.
func (s seen) String() string {
	var b strings.Builder
	all := maps.Clone(s.right)
	maps.Copy(all, s.wrong)
	for _, version := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&b, "%s answered %d requests, %d of them wrong\n", version, s.right[version]+s.wrong[version], s.wrong[version])
	}
	fmt.Fprintf(&b, "lost: %d", s.lost)
	return b.String()
}
