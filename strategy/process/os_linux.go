package process

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// supported is why there are no fleets here.
func supported() error {
	_, _, err := look(os.Getpid())
	return err
}

// lockFile keeps other tools out until the file is closed or the process is gone. A
// process that is being started has the file, too, until it is another program: so
// whoever has the lock sees every child's environment.
func lockFile(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrLocked
	}
	return err
}

// unlockFile lets others in now, whoever else has the file for a moment.
func unlockFile(f *os.File) error {
	return errors.Join(syscall.Flock(int(f.Fd()), syscall.LOCK_UN), f.Close())
}

// syncDir makes a new file's name survive a crash.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// boot is the name of the time since the machine started: numbers of processes and
// their start times mean nothing in another.
func boot() (string, error) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(text)), err
}

// life is how a process stands.
type life int

const (
	gone  life = iota // nobody has the number
	ended             // and its parent has not asked how
	alive
)

// look says how the process with that number stands, and when it started, in ticks since
// the machine did: a number alone may be another process's by now. An error says
// nothing about the process.
func look(pid int) (life, uint64, error) {
	l, start, _, err := stat(pid)
	return l, start, err
}

// stat says of which process it is a child, too.
func stat(pid int) (l life, start uint64, parent int, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ESRCH):
		return gone, 0, 0, nil
	case err != nil:
		return gone, 0, 0, err
	}
	// The second field is the name, which may have anything in it.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 20 {
		return gone, 0, 0, fmt.Errorf("/proc/%d/stat: found %q, want 22 fields and more", pid, text)
	}
	if start, err = strconv.ParseUint(fields[19], 10, 64); err != nil {
		return gone, 0, 0, fmt.Errorf("/proc/%d/stat: field 22: %w", pid, err)
	}
	if parent, err = strconv.Atoi(fields[1]); err != nil {
		return gone, 0, 0, fmt.Errorf("/proc/%d/stat: field 4: %w", pid, err)
	}
	// The first thread may have ended before the others.
	if threads := fields[17]; (fields[0] == "Z" || fields[0] == "X") && (threads == "0" || threads == "1") {
		return ended, start, parent, nil
	}
	return alive, start, parent, nil
}

// reserve takes a free port of 127.0.0.1. Nobody is given the same one while the file is
// open, but who knows it can listen there, if he says SO_REUSEADDR as servers do. With
// listen, it is a listener to be handed over.
func reserve(listen bool) (*os.File, string, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, "", fmt.Errorf("socket: %w", err)
	}
	f := os.NewFile(uintptr(fd), "listener")
	err = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	if err == nil {
		err = syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	}
	if err == nil && listen {
		err = syscall.Listen(fd, syscall.SOMAXCONN)
	}
	var name syscall.Sockaddr
	if err == nil {
		name, err = syscall.Getsockname(fd)
	}
	if err != nil {
		return nil, "", errors.Join(fmt.Errorf("a port of 127.0.0.1: %w", err), f.Close())
	}
	return f, net.JoinHostPort("127.0.0.1", strconv.Itoa(name.(*syscall.SockaddrInet4).Port)), nil
}

// hungUp says whether the other side has closed a connection on which it has nothing to
// say.
func hungUp(conn syscall.Conn) bool {
	raw, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	over := false
	err = raw.Control(func(fd uintptr) {
		n, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		over = n == 0 && err == nil || errors.Is(err, syscall.ECONNRESET)
	})
	return over && err == nil
}

// launch starts a program in a process group of its own, so that what it starts can be
// found. It outlives us.
func launch(cmd *exec.Cmd, output *os.File, listener *os.File) (pid int, start uint64, err error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, 0, err
	}
	defer null.Close()
	files := []*os.File{null, output, output}
	path, args := cmd.Path, cmd.Args
	if listener != nil {
		files = append(files, listener)
		// Nobody but the new process knows its number before it is the program.
		args = append([]string{"sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`, path}, args[min(1, len(args)):]...)
		path = "/bin/sh"
	}
	var sys syscall.SysProcAttr
	if cmd.SysProcAttr != nil {
		sys = *cmd.SysProcAttr
	}
	sys.Setpgid, sys.Pgid, sys.Pdeathsig = !sys.Setsid, 0, 0
	p, err := os.StartProcess(path, args, &os.ProcAttr{Dir: cmd.Dir, Env: cmd.Environ(), Files: append(files, cmd.ExtraFiles...), Sys: &sys})
	if err != nil {
		return 0, 0, err
	}
	pid = p.Pid                                // Release forgets it
	if _, start, err = look(pid); err != nil { // it is there, even if it has ended: nobody else asks how
		kill(pid)
		_, _ = p.Wait()
		return 0, 0, err
	}
	return pid, start, p.Release()
}

// signal reaches all of a process group.
func signal(pid int, s syscall.Signal) {
	if pid > 1 { // 0 would be us, and 1 everybody
		_ = syscall.Kill(-pid, s)
	}
}

// terminate asks a process group to end.
func terminate(pid int) { signal(pid, syscall.SIGTERM) }

// kill ends a process group.
func kill(pid int) { signal(pid, syscall.SIGKILL) }

// reap asks how a process has ended, so that it can go. Of one that is not a child of
// ours nobody tells us.
func reap(pid int) string {
	var status syscall.WaitStatus
	if n, err := syscall.Wait4(pid, &status, syscall.WNOHANG, nil); err != nil || n != pid {
		return "its exit status is not known"
	}
	if status.Signaled() {
		return "signal: " + status.Signal().String()
	}
	return "exit status " + strconv.Itoa(status.ExitStatus())
}

// marked are the processes that have a mark in the environment they were started with,
// the oldest first.
func marked(mark string) ([]proc, error) {
	pids, err := processes()
	if err != nil {
		return nil, err
	}
	var all []proc
	for _, pid := range pids {
		text, err := environ(pid)
		if err != nil || !bytes.Contains(append([]byte{0}, text...), []byte("\x00"+mark+"\x00")) {
			continue // gone, or somebody else's
		}
		if life, start, err := look(pid); err == nil && life == alive {
			all = append(all, proc{pid, start})
		}
	}
	slices.SortFunc(all, func(a, b proc) int { return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.pid, b.pid)) })
	return all, nil
}

// environ is the environment that a process was started with. One that is becoming another
// program has none for a moment, although it has an executable: it is asked again for a
// while, as one that was started with none is, too.
func environ(pid int) (text []byte, err error) {
	for range 50 {
		text, err = os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if err != nil || len(text) > 0 {
			break
		}
		if _, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); err != nil {
			return nil, err // the system's own, or over
		}
		<-time.After(time.Millisecond)
	}
	return text, err
}

// processes are all numbers of processes.
func processes() ([]int, error) {
	names, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	pids := make([]int, len(names))
	for i, name := range names {
		if pids[i], err = strconv.Atoi(filepath.Base(name)); err != nil {
			return nil, err
		}
	}
	return pids, nil
}

// offspring are the processes that a process has started, and theirs: as far as their
// parents still are.
func offspring(of proc) (all []proc) {
	pids, _ := processes() // who cannot be found here may be by its mark
	children := map[int][]proc{}
	for _, pid := range pids {
		if l, start, parent, err := stat(pid); err == nil && l != gone {
			children[parent] = append(children[parent], proc{pid, start})
		}
	}
	if l, err := of.life(); err != nil || l == gone {
		return nil
	}
	for next := []proc{of}; len(next) > 0; next = next[1:] {
		all = append(all, children[next[0].pid]...)
		next = append(next, children[next[0].pid]...)
		delete(children, next[0].pid)
	}
	return all
}

// end ends a process, and nothing else of its group.
func end(p proc) { _ = syscall.Kill(p.pid, syscall.SIGKILL) }

// leader says whether a process is the first of its group.
func leader(p proc) bool {
	group, err := syscall.Getpgid(p.pid)
	return err == nil && group == p.pid
}

// Of fallocate(2): linux/falloc.h.
const (
	keepSize  = 1
	punchHole = 2
)

// shorten gives back what a file takes beyond most bytes, all but its last keep bytes.
// What is appended meanwhile is not lost, except where a file can have no holes: there
// all of it goes.
func shorten(path string, most, keep int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	var stat syscall.Stat_t
	if err := syscall.Fstat(int(f.Fd()), &stat); err != nil || int64(stat.Blocks)*512 <= most {
		return err
	}
	err = syscall.Fallocate(int(f.Fd()), punchHole|keepSize, 0, max(stat.Size-keep, 1))
	if errors.Is(err, syscall.EOPNOTSUPP) {
		err = f.Truncate(0)
	}
	return err
}
