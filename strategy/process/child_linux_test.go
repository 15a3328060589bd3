package process_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// What this binary is, if it is not a test: a child, or a tool that gets killed.
const (
	asChild = "GUIDON_TEST_CHILD" // and its version
	asTool  = "GUIDON_TEST_TOOL"  // and its folder
	asOne   = "GUIDON_TEST_ONE"   // the same of one that is process 1
)

func TestMain(m *testing.M) {
	switch version, folder, first := os.Getenv(asChild), os.Getenv(asTool), os.Getenv(asOne); {
	case version != "":
		time.AfterFunc(2*time.Minute, func() { os.Exit(9) }) // whatever becomes of the test
		fmt.Printf("%s is child %d\n", version, os.Getpid())
		fmt.Fprintln(os.Stderr, behave(version))
		os.Exit(3)
	case folder != "":
		fmt.Println(tool(folder))
		os.Exit(3)
	case first != "":
		fmt.Println(one(first))
		os.Exit(3)
	}
	os.Exit(m.Run())
}

// behave is what a version does, and why it ends.
func behave(version string) error {
	kind, more, _ := strings.Cut(version, "-")
	switch kind {
	case "dies":
		return errors.New("no such table: orders")
	case "silent":
		fmt.Println("waiting for the database")
		select {}
	case "taken":
		_, err := net.Listen("tcp", more)
		return err
	case "abrupt": // SIGTERM ends it as it ends everybody
		return http.ListenAndServe(os.Getenv("ADDR"), routes(version))
	case "deaf":
		signal.Ignore(syscall.SIGTERM)
		return http.ListenAndServe(os.Getenv("ADDR"), routes(version))
	case "forks":
		if os.Getenv("GUIDON_TEST_FORKED") == "" {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), "GUIDON_TEST_FORKED=1")
			cmd.Stdout = os.Stdout
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: version != "forks"}
			if version == "forks-bare" { // as if it had overwritten its environment
				cmd.Env = slices.DeleteFunc(cmd.Env, func(v string) bool { return strings.HasPrefix(v, "GUIDON_CHILD=") })
			}
			return cmd.Run()
		}
		signal.Ignore(syscall.SIGTERM)
	}
	return serve(version)
}

// serve is a server as it ought to be: it answers what it has begun.
func serve(version string) error {
	listener, err := listen()
	if err != nil {
		return err
	}
	server := http.Server{Handler: routes(version)}
	if version == "hasty" {
		server.IdleTimeout = time.Millisecond
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	ended := make(chan error)
	go func() {
		<-ctx.Done()
		ended <- server.Shutdown(context.Background())
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-ended
}

// listen takes the listener that was handed over, or else the port.
func listen() (net.Listener, error) {
	if os.Getenv("LISTEN_FDS") == "" {
		return net.Listen("tcp", ":"+os.Getenv("PORT"))
	}
	if os.Getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return nil, fmt.Errorf("the listener is for process %s", os.Getenv("LISTEN_PID"))
	}
	return net.FileListener(os.NewFile(3, "listener"))
}

func routes(version string) http.Handler {
	mux := http.NewServeMux()
	var asked atomic.Int64
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		fmt.Println("asked", asked.Add(1))
		if path, ok := strings.CutPrefix(version, "hangs-"); ok { // while there is a file
			if _, err := os.Stat(path); err == nil {
				<-r.Context().Done()
				fmt.Println("nobody waits for", asked.Load())
			}
		}
		if strings.HasPrefix(version, "unwell") {
			http.Error(w, "the cache is cold", http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprint(w, strings.TrimSpace(version+" "+string(body)))
	})
	mux.HandleFunc("GET /pid", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, os.Getpid()) })
	mux.HandleFunc("GET /args", func(w http.ResponseWriter, _ *http.Request) {
		dir, _ := os.Getwd()
		fmt.Fprint(w, strings.Join(append([]string{dir}, os.Args[1:]...), " "))
	})
	mux.HandleFunc("GET /host", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Host) })
	mux.HandleFunc("/die", func(http.ResponseWriter, *http.Request) {
		fmt.Println("out of memory")
		os.Exit(7)
	})
	mux.HandleFunc("GET /print", func(_ http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.FormValue("lines"))
		for i := range n {
			fmt.Printf("line %d %s\n", i, strings.Repeat("x", 80))
		}
	})
	mux.HandleFunc("GET /slow", func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		path := r.FormValue("until") // a file comes to be
		for _, err := os.Stat(path); err != nil; _, err = os.Stat(path) {
			<-time.After(5 * time.Millisecond)
		}
		fmt.Fprint(w, "whole")
	})
	mux.HandleFunc("GET /echo", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "echo")
		w.WriteHeader(http.StatusSwitchingProtocols)
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.Copy(conn, rw)
	})
	return mux
}
