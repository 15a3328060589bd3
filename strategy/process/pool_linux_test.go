package process_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/guidon-go/guidon/strategy"
	"github.com/guidon-go/guidon/strategy/process"
	"github.com/stretchr/testify/require"
)

// TestDeadChild: a request that a dead child cannot have seen goes to another, with its
// body, whatever its method. Nobody has to look before.
func TestDeadChild(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *process.Options) { o.Instances = 3 })
	pids := w.children("v1")
	require.NoError(t, syscall.Kill(pids[0], syscall.SIGKILL))
	require.NoError(t, syscall.Kill(pids[1], syscall.SIGKILL))
	for _, pid := range pids[:2] {
		for listening(t, w, pid) {
		}
	}
	for range 6 {
		r := httptest.NewRecorder()
		w.fleet.ServeHTTP(r, httptest.NewRequest(http.MethodPost, "/", strings.NewReader("once")))
		require.Equal(t, http.StatusOK, r.Code, r.Body)
		require.Equal(t, "v1 once", r.Body.String())
	}
}

// TestHangsUp: a request comes through, whatever its method, although the only child
// closes the connection that was chosen for it.
func TestHangsUp(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		over func(net.Conn) bool // waited for before anything is written
	}{
		{"closed", hungUp},
		{"noticed", func(conn net.Conn) bool { return conn.SetWriteDeadline(time.Time{}) != nil }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(o *process.Options) { o.Serving = "hasty" })
			for reused := 0; reused < 20; {
				trace := httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
					if !info.Reused {
						return
					}
					for reused++; !tt.over(info.Conn); {
						runtime.Gosched()
					}
				}}
				r := httptest.NewRecorder()
				request := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("once"))
				w.fleet.ServeHTTP(r, request.WithContext(httptrace.WithClientTrace(t.Context(), &trace)))
				require.Equal(t, http.StatusOK, r.Code, r.Body)
				require.Equal(t, "hasty once", r.Body.String())
			}
		})
	}
}

// hungUp says whether the other side has closed a connection.
func hungUp(conn net.Conn) bool {
	raw, err := conn.(syscall.Conn).SyscallConn()
	if err != nil {
		return true
	}
	n := -1
	err = raw.Control(func(fd uintptr) {
		n, _, _ = syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	})
	return err != nil || n == 0
}

// listening says whether a child takes connections.
func listening(t testing.TB, w *world, pid int) bool {
	for c := range w.fleet.Children() {
		if c.PID == pid {
			conn, err := net.Dial("tcp", c.Addr)
			if err == nil {
				require.NoError(t, conn.Close())
			}
			return err == nil
		}
	}
	return false
}

// TestLeastBusy: a child that is at something long gets no more while others are free.
func TestLeastBusy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *process.Options) { o.Instances = 2 })
	server := httptest.NewServer(w.fleet)
	defer server.Close()
	conn := upgrade(t, server)
	defer conn.Close()
	busy := 0
	for c := range w.fleet.Children() {
		busy += c.Busy
	}
	require.Equal(t, 1, busy)
	first := w.get(t, "/pid")
	for range 10 {
		require.Equal(t, first, w.get(t, "/pid"))
	}
	require.NoError(t, conn.Close())
	for pid := first; pid == first; pid = w.get(t, "/pid") {
	}
}

// upgrade is a connection to a child that echoes.
func upgrade(t testing.TB, server *httptest.Server) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	_, err = io.WriteString(conn, "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	require.NoError(t, err)
	r := bufio.NewReader(conn)
	response, err := http.ReadResponse(r, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusSwitchingProtocols, response.StatusCode)
	_, err = io.WriteString(conn, "hello\n")
	require.NoError(t, err)
	line, err := r.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "hello\n", line)
	return conn
}

// TestTakenOver: a connection that has changed its protocol has the time of Grace.
func TestTakenOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *process.Options) { o.Grace = 1 })
	server := httptest.NewServer(w.fleet)
	defer server.Close()
	conn := upgrade(t, server)
	defer conn.Close()
	w.switchTo(t, "v1", "v2")
	require.Len(t, w.processes(t), 1)
	_, err := conn.Read(make([]byte, 1))
	require.Error(t, err)
}

// TestCommand: the program gets what its command says, and what the fleet adds.
func TestCommand(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	w := newWorld(t, func(o *process.Options) {
		command := o.Command
		o.Ready = ""
		o.Command = func(version string) *exec.Cmd {
			cmd := command(version)
			cmd.Dir, cmd.SysProcAttr = folder, &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
			cmd.Args = append(cmd.Args, "-extra")
			return cmd
		}
	})
	require.Equal(t, folder+" -extra", w.get(t, "/args"))
	w.switchTo(t, "v1", "v2")
	require.Equal(t, strategy.Observation{Share: strategy.All, New: 1}, w.observe(t))
	require.Equal(t, "v2", w.fleet.Serving())
	var versions []string
	for c := range w.fleet.Children() {
		versions = append(versions, c.Version)
		require.True(t, c.Ready)
	}
	require.Equal(t, []string{"v2"}, versions)
}
