package rollout_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

// artifact makes a folder with everything in it that a digest tells apart, and that
// sorts otherwise as a whole path than folder by folder.
func artifact(t *testing.T) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("has no mode to execute, and asks for a privilege to link")
	}
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "static/empty"), 0o755))
	for path, text := range map[string]string{
		"shop": "#!/bin/sh\n", "static/a.css": "a {}\n", "static.json": "{}\n", ".hidden": "", "new\nline": "odd\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, path), []byte(text), 0o644))
	}
	require.NoError(t, os.Chmod(filepath.Join(dir, "shop"), 0o755))
	require.NoError(t, os.Symlink("static/a.css", filepath.Join(dir, "link")))
	require.NoError(t, os.Symlink("nowhere", filepath.Join(dir, "dangling")))
	return dir
}

// TestDigestVector: the digest of this tree never changes, and other tools say the same.
func TestDigestVector(t *testing.T) {
	dir := artifact(t)
	got, err := rollout.Digest(t.Context(), dir)
	require.NoError(t, err)
	require.Equal(t, "sha256:96cc2176f777a62cbe8953f1633e8787d5ef27d75e7d24247a04e55094ef3441", got)

	const shell = `cd "$1" && find . -mindepth 1 -printf '%P\0' | LC_ALL=C sort -z | while IFS= read -r -d '' p; do
	if [ -L "$p" ]; then printf 'l %s %s\0' "$(readlink -n -- "$p" | sha256sum | cut -c1-64)" "$p"
	elif [ -d "$p" ]; then printf 'd %s\0' "$p"
	elif [ -n "$(find "./$p" -perm -100)" ]; then printf 'x %s %s\0' "$(sha256sum < "$p" | cut -c1-64)" "$p"
	else printf 'f %s %s\0' "$(sha256sum < "$p" | cut -c1-64)" "$p"; fi
done | sha256sum | cut -c1-64`
	if runtime.GOOS != "linux" {
		t.Skip("the rest is for GNU find and sort")
	}
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip(err)
	}
	out, err := exec.CommandContext(t.Context(), bash, "-c", shell, "-", dir).Output()
	require.NoError(t, err)
	require.Equal(t, "sha256:"+strings.TrimSpace(string(out)), got)
}

// TestDigestOfAFile: it is that of the content, whatever its name and mode, and through a
// link.
func TestDigestOfAFile(t *testing.T) {
	dir := artifact(t)
	want := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte("a {}\n")))
	for _, name := range []string{"static/a.css", "link"} {
		got, err := rollout.Digest(t.Context(), filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, want, got, name)
	}
}

// TestDigestTellsApart: whatever differs in what counts has another digest, and what
// differs in nothing else has the same.
func TestDigestTellsApart(t *testing.T) {
	same, err := rollout.Digest(t.Context(), artifact(t))
	require.NoError(t, err)
	tests := []struct {
		name   string
		change func(dir string) error
		same   bool
	}{
		{"nothing", func(string) error { return nil }, true},
		{"a byte", func(dir string) error { return os.WriteFile(filepath.Join(dir, "shop"), []byte("#!/bin/sH\n"), 0o755) }, false},
		{"a name", func(dir string) error { return os.Rename(filepath.Join(dir, "shop"), filepath.Join(dir, "shoq")) }, false},
		{"the mode to execute", func(dir string) error { return os.Chmod(filepath.Join(dir, "shop"), 0o644) }, false},
		{"another mode", func(dir string) error { return os.Chmod(filepath.Join(dir, "shop"), 0o700) }, true},
		{"a time", func(dir string) error {
			return os.Chtimes(filepath.Join(dir, "shop"), time.Unix(0, 0), time.Unix(0, 0))
		}, true},
		{"one more", func(dir string) error { return os.WriteFile(filepath.Join(dir, "static/b"), nil, 0o644) }, false},
		{"one less", func(dir string) error { return os.Remove(filepath.Join(dir, ".hidden")) }, false},
		{"an empty folder", func(dir string) error { return os.Remove(filepath.Join(dir, "static/empty")) }, false},
		{"where a link goes", func(dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, "dangling")), os.Symlink("nowhere.", filepath.Join(dir, "dangling")))
		}, false},
		{"a link that is a file", func(dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, "link")), os.WriteFile(filepath.Join(dir, "link"), []byte("static/a.css"), 0o644))
		}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := artifact(t)
			require.NoError(t, tt.change(dir))
			got, err := rollout.Digest(t.Context(), dir)
			require.NoError(t, err)
			require.Equal(t, tt.same, got == same)
		})
	}
}

// TestDigestFails: what cannot be read has no digest.
func TestDigestFails(t *testing.T) {
	_, err := rollout.Digest(t.Context(), filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = rollout.Digest(t.Context(), "")
	require.ErrorIs(t, err, rollout.ErrInvalid)
	dir := artifact(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, path := range []string{dir, filepath.Join(dir, "shop")} {
		_, err = rollout.Digest(ctx, path)
		require.ErrorIs(t, err, context.Canceled)
	}
}

// meddler is a context that does something when it is asked for the nth time whether it
// is over.
type meddler struct {
	context.Context
	asked, n int
	do       func()
}

func (m *meddler) Err() error {
	if m.asked++; m.asked == m.n {
		m.do()
	}
	return m.Context.Err()
}

// TestDigestOfWhatChanges: whenever it changes, the digest is that of before or of after,
// or an error.
func TestDigestOfWhatChanges(t *testing.T) {
	write := func(text string) func(string) error {
		return func(path string) error { return os.WriteFile(path, []byte(text), 0o644) }
	}
	old, other := strings.Repeat("a", 40_000), strings.Repeat("b", 40_000)
	tests := map[string]struct {
		of     string // what the digest is of, in the folder
		change func(dir string) error
	}{
		"written": {".", func(dir string) error { return write(other)(filepath.Join(dir, "sub/big")) }},
		"grown":   {"sub/big", func(dir string) error { return write(old + other)(filepath.Join(dir, "sub/big")) }},
		"replaced": {"sub/big", func(dir string) error {
			return errors.Join(write(other)(filepath.Join(dir, "new")), os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, "sub/big")))
		}},
		"one more": {".", func(dir string) error { return write("")(filepath.Join(dir, "sub/a")) }},
		"one less": {".", func(dir string) error { return os.Remove(filepath.Join(dir, "sub/z")) }},
		"renamed":  {".", func(dir string) error { return os.Rename(filepath.Join(dir, "sub/z"), filepath.Join(dir, "a")) }},
		"a mode":   {".", func(dir string) error { return os.Chmod(filepath.Join(dir, "b"), 0o755) }},
		"a link elsewhere": {"link", func(dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, "link")), os.Symlink("b", filepath.Join(dir, "link")))
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			noticed := 0
			for n := 1; ; n++ {
				dir := artifact(t)
				for file, text := range map[string]string{"b": "b", "sub/big": old, "sub/z": "z"} {
					require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, file)), 0o755))
					require.NoError(t, write(text)(filepath.Join(dir, file)))
				}
				require.NoError(t, os.Remove(filepath.Join(dir, "link")))
				require.NoError(t, os.Symlink("sub/big", filepath.Join(dir, "link")))
				for _, of := range []string{"b", "sub/big", "sub/z", "sub", "."} { // so that a change has another time
					require.NoError(t, os.Chtimes(filepath.Join(dir, of), time.Unix(0, 0), time.Unix(0, 0)))
				}
				path := filepath.Join(dir, tt.of)
				before, err := rollout.Digest(t.Context(), path)
				require.NoError(t, err)
				ctx := &meddler{Context: t.Context(), n: n, do: func() { require.NoError(t, tt.change(dir)) }}
				got, err := rollout.Digest(ctx, path)
				if ctx.asked < n {
					break
				}
				after, wrong := rollout.Digest(t.Context(), path)
				require.NoError(t, wrong)
				require.NotEqual(t, before, after)
				if err != nil {
					noticed++
				} else {
					require.Equal(t, after, got, "whatever is read before is no longer so: changed when asked for the time %d", n)
				}
			}
			require.NotZero(t, noticed)
		})
	}
}
