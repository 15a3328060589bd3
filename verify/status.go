package verify

import (
	"fmt"
	"strconv"
	"strings"
)

// StatusRange is a range of HTTP statuses that pass, both ends included. A zero To
// is From: StatusRange{From: 204} is one status.
type StatusRange struct {
	From, To int // 200 to 599
}

// The classes of status.
var (
	Status2xx = StatusRange{From: 200, To: 299}
	Status3xx = StatusRange{From: 300, To: 399}
	Status4xx = StatusRange{From: 400, To: 499}
	Status5xx = StatusRange{From: 500, To: 599}
)

func (s StatusRange) last() int {
	if s.To == 0 {
		return s.From
	}
	return s.To
}

// String is "204", "2xx" or "500 to 503".
func (s StatusRange) String() string {
	switch to := s.last(); {
	case to == s.From:
		return strconv.Itoa(s.From)
	case s.From%100 == 0 && to == s.From+99:
		return strconv.Itoa(s.From/100) + "xx"
	default:
		return fmt.Sprintf("%d to %d", s.From, to)
	}
}

// statuses are the ranges of one test, never none.
type statuses []StatusRange

func (list statuses) has(status int) bool {
	for _, s := range list {
		if s.From <= status && status <= s.last() {
			return true
		}
	}
	return false
}

// String is "200", "200 or 404", "2xx, 304 or 404".
func (list statuses) String() string {
	texts := make([]string, len(list))
	for i, s := range list {
		texts[i] = s.String()
	}
	last := len(texts) - 1
	if last == 0 {
		return texts[0]
	}
	return strings.Join(texts[:last], ", ") + " or " + texts[last]
}
