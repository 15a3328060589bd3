package process_test

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/guidon-go/guidon/strategy"
	"github.com/guidon-go/guidon/strategy/process"
	"github.com/stretchr/testify/require"
)

var kills = flag.Int("process.kills", 10, "how often TestKilledTool kills a tool")

// tool is a deploy tool that scales up and down until it is killed.
func tool(folder string) error {
	w := &world{mark: os.Getenv("GUIDON_TEST_OF")}
	command := func(version string) *exec.Cmd {
		cmd := w.command(version)
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // which would be the end of them with the tool
		return cmd
	}
	fleet, err := process.Open(process.Options{State: filepath.Join(folder, "state.json"), Command: command, Serving: "v1", Ready: "/healthz"})
	if err != nil {
		return err
	}
	ctx := context.Background()
	if err := errors.Join(fleet.Start(ctx), fleet.Prepare(ctx, "v1", "v2")); err != nil {
		return err
	}
	fmt.Println("ready")
	for n := 1; ; n++ {
		if err := fleet.Scale(ctx, 1+n%2, n%4); err != nil {
			return err
		}
	}
}

// TestKilledTool: whenever a tool is killed, the next one knows every process that it has
// left, the version that serves goes on serving, and a step that was begun can be taken
// again.
func TestKilledTool(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	serves := w.children("")[0]
	for range *kills {
		require.NoError(t, w.fleet.Close())
		kill := w.tool(t)
		<-time.After(time.Duration(rand.IntN(200)) * time.Millisecond)
		kill()
		w.openSoon(t)
		require.Contains(t, w.children("v1"), serves)
		require.Equal(t, "v1", w.get(t, "/"))
		require.Subset(t, w.children(""), w.processes(t))
		require.NoError(t, w.fleet.Scale(t.Context(), 1, 3))
		require.Len(t, w.processes(t), 4)
		require.Equal(t, strategy.Observation{Old: 1, New: 3}, w.observe(t))
	}
}

// tool starts one, which is ready when it returns.
func (w *world) tool(t testing.TB) (kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asTool+"="+filepath.Dir(w.options.State), "GUIDON_TEST_OF="+w.mark)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "ready\n", line)
	return func() {
		require.NoError(t, cmd.Process.Kill())
		require.Error(t, cmd.Wait())
	}
}

// TestOutlive: children live on when the tool that started them is killed, whatever their
// command says.
func TestOutlive(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	require.NoError(t, w.fleet.Stop(t.Context()))
	require.NoError(t, w.fleet.Close())
	w.tool(t)()
	w.openSoon(t)
	require.NotZero(t, w.observe(t).Old)
	require.Equal(t, "v1", w.get(t, "/"))
	require.Empty(t, w.told())
}

// TestWrittenFirst: children are in the state file before they are started.
func TestWrittenFirst(t *testing.T) {
	t.Parallel()
	var path string
	most := 0 // children that were about to be started
	w := newWorld(t, func(o *process.Options) {
		command := o.Command
		path = o.State
		o.Command = func(version string) *exec.Cmd {
			text, _ := os.ReadFile(path)
			most = max(most, strings.Count(string(text), `"pid": 0,`))
			return command(version)
		}
	})
	require.Equal(t, 1, most)
	require.NoError(t, w.fleet.Prepare(t.Context(), "v1", "v2"))
	require.NoError(t, w.fleet.Scale(t.Context(), 1, 3))
	require.Equal(t, 3, most)
}

// openSoon opens the fleet when the killed tool's last act is over: the lock is in the
// hands of a process it was starting until that is the child.
func (w *world) openSoon(t testing.TB) {
	t.Helper()
	for {
		fleet, err := process.Open(w.options)
		if !errors.Is(err, process.ErrLocked) {
			require.NoError(t, err)
			w.fleet = fleet
			return
		}
		<-time.After(time.Millisecond)
	}
}

// TestBetweenTwoWrites is a tool that died after it had started children, and before it
// could write down which processes they are.
func TestBetweenTwoWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	require.NoError(t, w.fleet.Prepare(t.Context(), "v1", "forks"))
	require.NoError(t, w.fleet.Scale(t.Context(), 1, 2))
	before := w.children("")
	require.NoError(t, w.fleet.Close())
	for _, name := range []string{"pid", "start"} {
		w.rewrite(t, `"`+name+`": `, "0,")
	}
	w.rewrite(t, `"ready": `, "false,")
	w.open(t)
	require.Equal(t, before, w.children(""))
	require.Equal(t, strategy.Observation{}, w.observe(t)) // nobody knows yet whether they are ready
	require.NoError(t, w.fleet.Scale(t.Context(), 1, 2))
	require.Equal(t, before, w.children(""))
	require.Equal(t, strategy.Observation{Old: 1, New: 2}, w.observe(t))
}

// rewrite changes the value on all lines of the state file that have the key.
func (w *world) rewrite(t testing.TB, key, value string) {
	t.Helper()
	text, err := os.ReadFile(w.options.State)
	require.NoError(t, err)
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		if before, _, ok := strings.Cut(line, key); ok {
			lines[i] = before + key + value
		}
	}
	require.NoError(t, os.WriteFile(w.options.State, []byte(strings.Join(lines, "\n")), 0o600))
}

// TestAnotherProcess: a number in the state file that is somebody else's by now is left
// alone.
func TestAnotherProcess(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ key, value string }{
		{`"start": `, "12345,"},
		{`"boot": `, `"another",`},
	} {
		t.Run(tt.key, func(t *testing.T) {
			w := newWorld(t, nil)
			require.NoError(t, w.fleet.Close())
			other := w.start(t, "v3")
			before := w.processes(t)
			state, err := os.ReadFile(w.options.State)
			require.NoError(t, err)
			w.rewrite(t, `"token": `, `"ABC",`)
			w.rewrite(t, tt.key, tt.value)
			w.open(t)
			require.NoError(t, w.fleet.Start(t.Context())) // another one
			require.NoError(t, w.fleet.Stop(t.Context()))
			require.Equal(t, before, w.processes(t))
			require.NoError(t, w.fleet.Close())
			require.NoError(t, os.WriteFile(w.options.State, state, 0o600)) // for the end
			w.open(t)
			require.NoError(t, other.Process.Kill())
			require.Error(t, other.Wait())
		})
	}
}

// start is a process that is none of the fleet's.
func (w *world) start(t testing.TB, version string) *exec.Cmd {
	t.Helper()
	cmd := w.command(version)
	cmd.Env = append(cmd.Env, "PORT=0")
	require.NoError(t, cmd.Start())
	return cmd
}

// TestProcessOne: a tool that inherits what children leave behind, as process 1 does in a
// container, has nothing of it in the list of processes when they are gone.
func TestProcessOne(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asOne+"="+t.TempDir())
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Equal(t, "nothing is left\n", string(out))
}

// one is a tool that is its children's process 1.
func one(folder string) error {
	const setChildSubreaper = 36 // prctl(2)
	if _, _, err := syscall.RawSyscall(syscall.SYS_PRCTL, setChildSubreaper, 1, 0); err != 0 {
		return err
	}
	w := &world{mark: "GUIDON_TEST_MARK=" + folder}
	fleet, err := process.Open(process.Options{State: filepath.Join(folder, "state.json"), Command: w.command, Serving: "forks-away", Ready: "/healthz"})
	if err != nil {
		return err
	}
	ctx := context.Background()
	for range 3 {
		if err := errors.Join(fleet.Start(ctx), fleet.Stop(ctx)); err != nil {
			return err
		}
		if n, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); err != syscall.ECHILD {
			return fmt.Errorf("found process %d, %w", n, err)
		}
	}
	return errors.Join(fleet.Close(), errors.New("nothing is left"))
}

func TestTwoTools(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	_, err := process.Open(w.options)
	require.ErrorIs(t, err, process.ErrLocked)
	folder := t.TempDir()
	link := func(name, to string) string {
		path := filepath.Join(folder, name)
		require.NoError(t, os.Symlink(to, path))
		return path
	}
	options := w.options
	for _, options.State = range []string{link("file", w.options.State), filepath.Join(link("folder", filepath.Dir(w.options.State)), "state.json")} {
		_, err := process.Open(options)
		require.ErrorIs(t, err, process.ErrLocked, options.State)
	}
	options.State = link("nothing", filepath.Join(folder, "none"))
	_, err = process.Open(options)
	require.ErrorIs(t, err, os.ErrNotExist)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asTool+"="+filepath.Dir(w.options.State))
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	text, err := io.ReadAll(out)
	require.NoError(t, err)
	require.Error(t, cmd.Wait())
	require.Contains(t, string(text), "state.json: locked by another process")
	require.Equal(t, "v1", w.get(t, "/"))
}

// TestDamagedState is refused with all that is wrong with it, and nothing is changed.
func TestDamagedState(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	require.NoError(t, w.fleet.Close())
	state, err := os.ReadFile(w.options.State)
	require.NoError(t, err)
	defer func() { require.NoError(t, os.WriteFile(w.options.State, state, 0o600)) }()
	for _, tt := range []struct{ name, text, want string }{
		{"empty", "", "found the end of the document"},
		{"half", string(state[:len(state)/2]), "line "},
		{"no JSON", "deploy\n", "line 1, column 1"},
		{"a field too many", strings.Replace(string(state), `"boot"`, `"boots"`, 1), "unknown field"},
		{"a later format", strings.Replace(string(state), `"format": 1`, `"format": 2`, 1), "format: found 2, want 1: a later release wrote it"},
		{"a name as a path", strings.Replace(string(state), `"token": "`, `"token": "../`, 1), "children[0].token: found "},
		{"another host", strings.Replace(string(state), `"127.0.0.1:`, `"10.0.0.1:`, 1), "children[0].addr: found \"10.0.0.1:"},
		{"a process that never is", strings.Replace(string(state), `"pid": `, `"pid": -`, 1), "children[0].pid: found -"},
		{"several", `{"format": 1, "share": 50, "wanted": {"v1": -1}}`, "new version, want none\nwanted.v1: found -1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.NoError(t, os.WriteFile(w.options.State, []byte(tt.text), 0o600))
			_, err := process.Open(w.options)
			require.ErrorIs(t, err, process.ErrDamaged)
			require.ErrorContains(t, err, "process: open "+w.options.State)
			require.ErrorContains(t, err, tt.want)
			after, err := os.ReadFile(w.options.State)
			require.NoError(t, err)
			require.Equal(t, tt.text, string(after))
			require.Len(t, w.processes(t), 1)
		})
	}
}
