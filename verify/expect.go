package verify

import (
	"fmt"
	"reflect"
	"regexp"
	"time"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// Expectation is one more thing that must hold for an answer. It is one of
// [HeaderIs], [HeaderMatches], [HeaderAbsent], [BodyIs], [BodyContains],
// [BodyMatches], [JSONEquals], [JSONContains], [JSONPath], [TLSExpiry], [Within]
// and [Custom]: all are data, checked and compiled before anything is sent. A
// regular expression has Go's syntax (RE2), and matches anywhere unless it is
// anchored with ^ and $.
type Expectation interface {
	// String says in a few words what is expected.
	String() string

	// compile returns what looks at an answer. If it adds problems, the check
	// is not used.
	compile(c *compiler, path string) check
}

// check is a compiled expectation.
type check struct {
	body bool // whether it needs all of the body
	look func(e *exchanged, d *differences)
}

// expect compiles the expectations of a test.
func (c *compiler) expect(path string, t *test) {
	c.timeout = t.Timeout
	for i, e := range t.Expect {
		at := jsontree.Index(path, i)
		if v := reflect.ValueOf(e); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
			c.add(at, "want an expectation, found nil")
			continue
		}
		t.checks = append(t.checks, c.compiled(e, at))
	}
}

// compiled contains the panic of a struct that embeds an Expectation which is nil.
func (c *compiler) compiled(e Expectation, path string) (k check) {
	defer func() {
		if v := recover(); v != nil {
			c.add(path, "want an expectation, found a %T that ends with a panic: %s", e, printed(v))
		}
	}()
	return e.compile(c, path)
}

func (c *compiler) pattern(path, pattern string) *regexp.Regexp {
	if pattern == "" {
		c.add(path, "want a regular expression, found none")
		return nil
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		c.add(path, "not a regular expression: %v", err)
	}
	return re
}

// Within is a budget for the response time, to the last byte of the body. Unlike
// a timeout it does not end the exchange: an answer that comes later is still
// compared, and fails.
type Within struct {
	Limit time.Duration // the longest that passes; required, at most the test's Timeout
}

// String is "within 300ms".
func (w Within) String() string { return "within " + w.Limit.String() }

func (w Within) compile(c *compiler, path string) check {
	if w.Limit <= 0 {
		c.add(path, "want more than 0, found %v", w.Limit)
	} else if w.Limit > c.timeout {
		c.add(path, "want at most the test's %s of %v, found %v", c.name("Timeout"), c.timeout, w.Limit)
	}
	return check{body: false, look: func(e *exchanged, d *differences) {
		if e.ResponseTime > w.Limit {
			d.add(KindSlow, "response time", "at most "+w.Limit.String(), e.ResponseTime.String())
		}
	}}
}

// Custom is for what no other expectation can say.
type Custom struct {
	// Name is what reports call it. It is required.
	Name string

	// Func returns nil if the answer is as it should be, and an error that says
	// what is not. It is called once for each answer that came as a whole, must
	// return soon, and may be called from several goroutines at once if tests
	// run so. A panic fails the test and no more. Nil: the one that stands under
	// the name in the suite's Custom.
	Func func(Answer) error
}

// String is the name.
func (x Custom) String() string { return x.Name }

func (x Custom) compile(c *compiler, path string) check {
	if x.Name == "" {
		c.add(jsontree.Join(path, "Name"), "want a name for the report, found none")
	}
	if x.Func == nil {
		x.Func = c.custom[x.Name]
	}
	if x.Func == nil && !c.file {
		c.add(jsontree.Join(path, "Func"), "want a function, found nil")
	}
	return check{body: true, look: func(e *exchanged, d *differences) {
		kind, text := x.call(e.copied())
		if text != "" {
			d.add(kind, d.show(x.Name, mostBytes), "no error", text)
		}
	}}
}

// call returns the text of the function's error, or of its panic, even if it is the
// error that panics.
func (x Custom) call(a Answer) (kind Kind, text string) {
	ended := apart(func() {
		if err := x.Func(a); err != nil {
			text = "an error: " + err.Error()
		}
	})
	if ended != "" {
		return KindPanic, ended
	}
	return KindCustom, text
}

// apart calls what the host wrote in a goroutine of its own, so that it ends no other,
// and says how it ended if it did not return.
func apart(call func()) (ended string) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		ended = "an end of its goroutine, as t.FailNow makes"
		defer func() {
			if v := recover(); v != nil {
				ended = "a panic: " + printed(v)
			}
		}()
		call()
		ended = ""
	}()
	<-done
	return ended
}

// printed contains the panics of the methods that print v.
func printed(v any) (text string) {
	defer func() {
		if recover() != nil {
			text = "a value that cannot be printed"
		}
	}()
	return fmt.Sprint(v)
}
