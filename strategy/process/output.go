package process

import (
	"io"
	"os"
	"path/filepath"
	"strings"
)

const (
	mostOutput = 1 << 20  // bytes on the disk that a child's output may take between two looks
	keptOutput = 64 << 10 // of it that are kept
)

// outputFile is where a child's output is.
func (f *Fleet) outputFile(r record) string {
	version := strings.Map(func(c rune) rune {
		if c == '-' || c == '.' || '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' {
			return c
		}
		return '_'
	}, r.Version)
	return filepath.Join(f.options.State+".output", version[:min(len(version), 100)]+"-"+r.Token+".log")
}

// openOutput makes the file. A child has no pipe to us: it lives on when we do not.
func openOutput(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_APPEND|os.O_WRONLY, 0o600)
}

// tail is the last of a file, as far as there is one.
func tail(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	if size, err := f.Seek(0, io.SeekEnd); err == nil {
		_, _ = f.Seek(max(size-keptOutput, 0), io.SeekStart)
	}
	text, _ := io.ReadAll(io.LimitReader(f, keptOutput))
	return string(text)
}

// trim keeps the output of the children within its bounds. What cannot be trimmed now is
// tried again.
func (f *Fleet) trim() {
	for _, c := range f.children {
		_ = shorten(c.output, mostOutput, keptOutput)
	}
}
