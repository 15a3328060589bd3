package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/guidon-go/guidon/internal/jsontree"
	"github.com/guidon-go/guidon/strategy"
)

// stateVersion is the format of the state file.
const stateVersion = 1

// state is what the state file says. Everything is written before it is done.
type state struct {
	Format   int            `json:"format"`
	Boot     string         `json:"boot"`    // the time that the numbers of the children belong to
	Serving  string         `json:"serving"` // what was promoted last
	Old      string         `json:"old"`     // the versions of the last Prepare: before it the one that serves,
	New      string         `json:"new"`     // and none
	Share    strategy.Share `json:"share"`   // of New
	Mirror   strategy.Share `json:"mirror"`  // to New
	Wanted   map[string]int `json:"wanted"`  // how many children of each version
	Children []record       `json:"children"`
}

// record is a child in the state file.
type record struct {
	Version string `json:"version"`
	Token   string `json:"token"` // in its environment
	Addr    string `json:"addr"`  // where it listens
	PID     int    `json:"pid"`   // 0 if it was about to be started
	Start   uint64 `json:"start"` // when it started, in ticks since the machine did
	Ready   bool   `json:"ready"` // it was
	Leaving bool   `json:"leaving"`
}

// readState reads a state file; found says whether there is one.
func readState(path string) (s state, found bool, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return state{}, false, nil
	}
	if err != nil {
		return state{}, false, err
	}
	var format struct{ Format int }
	if json.Unmarshal(text, &format) == nil && format.Format > stateVersion {
		return state{}, true, fmt.Errorf("%w: format: found %d, want %d: a later release wrote it", ErrDamaged, format.Format, stateVersion)
	}
	err = jsontree.Unmarshal(text, &s)
	if err == nil {
		err = s.problems().Err()
	}
	if err != nil {
		return state{}, true, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return s, true, nil
}

// problems are all that a program could trip over.
func (s state) problems() (all jsontree.Problems) {
	add := func(path, format string, args ...any) {
		all = append(all, jsontree.Problem{Path: path, Text: fmt.Sprintf(format, args...)})
	}
	if s.Format != stateVersion {
		add("format", "found %d, want %d", s.Format, stateVersion)
	}
	if s.Serving == "" || s.Old == "" || s.Old == s.New {
		add("serving, old, new", "found %q, %q and %q, want names of versions, and two that differ", s.Serving, s.Old, s.New)
	}
	if s.New == "" && (s.Share != 0 || s.Mirror != 0) {
		add("share, mirror", "found %v and %v without a new version, want none", s.Share, s.Mirror)
	}
	for _, version := range slices.Sorted(maps.Keys(s.Wanted)) {
		if n := s.Wanted[version]; version == "" || n < 0 {
			add(jsontree.Join("wanted", version), "found %d, want a name and no negative number", n)
		}
	}
	tokens := map[string]bool{}
	for i, c := range s.Children {
		at := jsontree.Index("children", i)
		if c.Version == "" {
			add(jsontree.Join(at, "version"), "found none, want a name")
		}
		// It becomes part of a file's name.
		if c.Token == "" || strings.Trim(c.Token, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" || tokens[c.Token] {
			add(jsontree.Join(at, "token"), "found %q, want capital letters and digits of its own", c.Token)
		}
		tokens[c.Token] = true
		if !strings.HasPrefix(c.Addr, "127.0.0.1:") {
			add(jsontree.Join(at, "addr"), "found %q, want 127.0.0.1 and a port", c.Addr)
		}
		if c.PID < 0 || c.PID == 1 || c.PID > 0 && c.Start == 0 {
			add(jsontree.Join(at, "pid"), "found %d, started at %d, want a process", c.PID, c.Start)
		}
	}
	return all
}

// share is the part of the requests that a version may get.
func (s state) share(version string) strategy.Share {
	switch version {
	case s.Old:
		return strategy.All - s.Share
	case s.New:
		return max(s.Share, s.Mirror)
	}
	return 0
}

// write replaces a state file: a crash leaves the old one or the new one.
func (s state) write(path string) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	next := path + ".next"
	f, err := os.OpenFile(next, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(next, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}
