package process

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/guidon-go/guidon/strategy/split"
)

// Options say what a fleet runs.
type Options struct {
	// State is a file that knows which children run, so that a tool that starts again
	// finds them. It is made if it is not there; a symbolic link is the file it leads to.
	// Beside it there will be files with the same name and more: ".lock", ".next", and a
	// folder ".output".
	State string
	// Command is the program of a version, to be started with the arguments,
	// environment, folder and user that it has. Its standard input, output and error
	// are the fleet's business, and whatever context it has counts for nothing. It gets
	// the variables PORT and ADDR, "127.0.0.1:" and the port, and must listen there.
	// Command is called by one goroutine at a time, and must not call the fleet.
	Command func(version string) *exec.Cmd
	// Serving is the version to serve if the state file is not there.
	Serving string
	// Instances is how many children of Serving [Fleet.Start] starts then. Zero means
	// one.
	Instances int
	// Ready is the path that a new child is asked for until it answers 200: "/healthz".
	// Empty means that it is ready when it accepts a connection.
	Ready string
	// Inherit hands the children their listener, as systemd's socket activation does: it
	// is file descriptor 3, and there are LISTEN_FDS=1 and LISTEN_PID beside PORT and
	// ADDR. It needs Ready, and /bin/sh. Otherwise a port is kept free for each child
	// until it listens there, for which it has to use SO_REUSEADDR, as servers do.
	Inherit bool
	// Grace is how long a child that has to go may take to answer what it has begun,
	// and after that, from SIGTERM on, to end; then it is killed. Zero means ten
	// seconds.
	Grace time.Duration
	// Within is how long a child that [Fleet.Run] starts may take to become ready. Zero
	// means a minute. Other calls have their context for it.
	Within time.Duration
	// OnExit is called for each child that dies without being asked to. It may be called
	// by whatever call finds out, before that returns. Nil logs it to slog's default.
	OnExit func(Exit)
	// Split says who gets which version, and what is recorded of it. Its zero value
	// places each request at random. A pin to a version that is to have no children is
	// left to the weights, too: one that is retired, or not scaled yet.
	Split split.Options
}

// check says everything that is wrong with the options.
func (o Options) check() error {
	var problems []error
	add := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if o.State == "" {
		add("state: found none, want a file")
	}
	if o.Command == nil {
		add("command: found none, want a function that returns the program of a version")
	}
	if o.Serving == "" {
		add("serving: found none, want the version to serve first")
	}
	if o.Instances < 0 {
		add("instances: found %d, want no negative number", o.Instances)
	}
	if o.Ready != "" && !strings.HasPrefix(o.Ready, "/") {
		add("ready: found %q, want a path that begins with /", o.Ready)
	}
	if o.Inherit && o.Ready == "" {
		add("inherit: found no path in ready, want one: a listener accepts connections before there is a child")
	}
	if o.Grace < 0 || o.Within < 0 {
		add("grace, within: found %v and %v, want no negative time", o.Grace, o.Within)
	}
	return errors.Join(problems...)
}
