package schema_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRepository: every document that stands in this repository is accepted: files,
// and blocks of the pages.
func TestRepository(t *testing.T) {
	found := documents(t)
	for _, name := range []string{"examples/quickstart/flags.json", "README.md", "flag/DOCUMENTS.md"} {
		known := false
		for where := range found {
			known = known || strings.HasPrefix(where, name)
		}
		require.True(t, known, "no document was found in %s", name)
	}
	for where, text := range found {
		t.Run(where, func(t *testing.T) { accepts(t, text) })
	}
}

// documents finds them by walking. Those in testdata/broken are for TestBroken.
func documents(t *testing.T) map[string][]byte {
	found := map[string][]byte{}
	repository := os.DirFS(root)
	require.NoError(t, fs.WalkDir(repository, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			if name != "." && entry.Name()[0] == '.' || name == "vendor" || name == "flag/testdata/broken" {
				return fs.SkipDir
			}
			return nil
		case path.Ext(name) != ".json" && path.Ext(name) != ".md":
			return nil
		}
		data, err := fs.ReadFile(repository, name)
		if err != nil {
			return err
		}
		text := strings.ReplaceAll(string(data), "\r\n", "\n")
		ours := strings.HasPrefix(name, "flag/") || strings.HasPrefix(name, "examples/")
		switch {
		case path.Ext(name) == ".md":
			for line, block := range blocks(text) {
				if isDocument(block) {
					found[name+":"+strconv.Itoa(line)] = []byte(block)
				}
			}
		case ours && isDocument(text):
			found[name] = data
		}
		return nil
	}))
	return found
}

// blocks are the ```json blocks of a page by line. Parts of a document are among
// them.
func blocks(page string) map[int]string {
	found := map[int]string{}
	begin, block := 0, ""
	for i, line := range strings.SplitAfter(page, "\n") {
		switch fence := strings.TrimSpace(line); {
		case begin == 0 && fence == "```json":
			begin, block = i+1, ""
		case begin != 0 && fence == "```":
			found[begin] = block
			begin = 0
		case begin != 0:
			block += line
		}
	}
	return found
}

// isDocument is an object with flags; be it only meant to be one, since whoever
// writes a comma too many wants to hear of it.
func isDocument(text string) bool {
	var object map[string]any
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		return strings.HasPrefix(strings.TrimSpace(text), `{`) && strings.Contains(text, `"flags"`)
	}
	return object["flags"] != nil
}
