// Package server runs a real Prometheus server, for tests and the example.
package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// ErrNone says that there is no prometheus to run: Debian's package of that name has it.
var ErrNone = errors.New("no prometheus in the path: install the package prometheus")

// Server is one that runs.
type Server struct {
	URL  string // where it answers
	stop func()
}

// Start runs one that scrapes the target ("127.0.0.1:8080") each second, with its data
// in dir, and returns when it is ready. It ends with Stop or with the context. Flags are
// its own.
func Start(ctx context.Context, dir, target string, flags ...string) (*Server, error) {
	path, err := exec.LookPath("prometheus")
	if err != nil {
		return nil, ErrNone
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := free.Addr().String()
	free.Close()
	config := filepath.Join(dir, "prometheus.yml")
	text := fmt.Sprintf("global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs: [{job_name: shop, static_configs: [{targets: [%q]}]}]\n", target)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	var log bytes.Buffer
	cmd := exec.CommandContext(ctx, path, append([]string{"--config.file=" + config, "--storage.tsdb.path=" + filepath.Join(dir, "data"),
		"--web.listen-address=" + address}, flags...)...)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		cancel()
		return nil, err
	}
	gone := make(chan struct{})
	go func() { cmd.Wait(); close(gone) }()
	s := &Server{"http://" + address, func() { cancel(); <-gone }}
	for {
		if response, err := http.Get(s.URL + "/-/ready"); err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return s, nil
			}
		}
		select {
		case <-gone:
			cancel()
			return nil, fmt.Errorf("prometheus ended: %s\n%s", cmd.ProcessState, log.Bytes())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Stop kills it, and returns when it is gone.
func (s *Server) Stop() { s.stop() }
