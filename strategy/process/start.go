package process

import (
	"crypto/rand"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// start starts children. They are in the state file before they are, so that a tool that
// dies meanwhile finds them by their marks.
func (f *Fleet) start(version string, n int) error {
	for range n {
		port, addr, err := reserve(f.options.Inherit)
		if err != nil {
			f.forget()
			return err
		}
		c := f.child(record{Version: version, Token: rand.Text(), Addr: addr})
		c.port = port
		f.children = append(f.children, c)
	}
	if err := f.save(); err != nil {
		f.forget()
		return err
	}
	var err error
	for _, c := range f.children {
		if c.PID == 0 && err == nil {
			err = f.launch(c)
		}
	}
	f.forget()
	return errors.Join(err, f.save())
}

func (f *Fleet) child(r record) *child {
	return &child{
		record: r, output: f.outputFile(r), since: time.Now(),
		transport: http.Transport{DialContext: dial, DisableCompression: true, MaxIdleConnsPerHost: 256, IdleConnTimeout: 90 * time.Second},
	}
}

// forget drops children that were not started.
func (f *Fleet) forget() {
	f.children = slices.DeleteFunc(f.children, func(c *child) bool {
		if c.PID != 0 {
			return false
		}
		c.release()
		_ = os.Remove(c.output)
		return true
	})
}

// launch starts a child.
func (f *Fleet) launch(c *child) error {
	if err := f.keeps(c.Version); err != nil {
		return err
	}
	cmd := f.options.Command(c.Version)
	_, port, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return err
	}
	cmd.Env = append(cmd.Environ(), "PORT="+port, "ADDR="+c.Addr, c.mark())
	var listener *os.File
	if f.options.Inherit {
		cmd.Env = append(cmd.Env, "LISTEN_FDS=1", "LISTEN_FDNAMES=http")
		listener = c.port
		defer c.release()
	}
	output, err := openOutput(c.output)
	if err != nil {
		return err
	}
	defer output.Close()
	c.PID, c.Start, err = launch(cmd, output, listener)
	return err
}

// keeps says why a version cannot be started.
func (f *Fleet) keeps(version string) error {
	cmd := f.options.Command(version)
	switch {
	case cmd == nil:
		return errors.New("there is no command for it")
	case cmd.Err != nil:
		return cmd.Err
	}
	path, err := filepath.Abs(cmd.Path)
	if !filepath.IsAbs(cmd.Path) && cmd.Dir != "" {
		path, err = filepath.Abs(filepath.Join(cmd.Dir, cmd.Path))
	}
	if err == nil {
		_, err = exec.LookPath(path)
	}
	return err
}
