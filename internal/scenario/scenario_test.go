package scenario_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/guidon-go/guidon/internal/scenario"
	"github.com/stretchr/testify/require"
)

const echo = `# A story.

say "hello there" you
    1: hello there
    2: you

say
say what
    1: what
`

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "story.txt")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// say numbers its words.
func say(c scenario.Command) string {
	var b strings.Builder
	for i, word := range c.Args {
		b.WriteString(string(rune('1'+i)) + ": " + word + "\n")
	}
	return b.String()
}

func TestStory(t *testing.T) {
	tests := []struct{ name, text, problem, updated string }{
		{"as it says", echo, "", echo},
		{"other ends of lines", strings.ReplaceAll(echo, "\n", "\r\n"), "", strings.ReplaceAll(echo, "\n", "\r\n")},
		{"something else", strings.Replace(echo, "2: you", "2: me", 1), "story.txt:3: say \"hello there\" you\ngot:\n1: hello there\n2: you\nwant:\n1: hello there\n2: me\n", echo},
		{"less", strings.Replace(echo, "say what\n", "say\n", 1), "story.txt:8: say\ngot:\nwant:\n1: what\n", strings.Replace(echo, "say what\n    1: what\n", "say\n", 1)},
		{"more", strings.Replace(echo, "    1: what\n", "", 1), "story.txt:8: say what\ngot:\n1: what\nwant:\n", echo},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := write(t, tt.text)
			story, err := scenario.Read(path)
			require.NoError(t, err)
			story.Play(say)
			if err = story.Check(false); tt.problem == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, tt.problem)
			}
			require.NoError(t, story.Check(true))
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, tt.updated, string(text))
		})
	}
}

func TestBrokenStories(t *testing.T) {
	for text, problem := range map[string]string{
		"    1: what\n":           `story.txt:1: says "1: what" without a command`,
		"say\n\n    1: what\n":    `story.txt:3: says "1: what" without a command`,
		"\nsay \"what\n":          `story.txt:2: a " without its other half`,
		"# say\n    1: what\nsay": `story.txt:2: says "1: what" without a command`,
	} {
		_, err := scenario.Read(write(t, text))
		require.ErrorContains(t, err, problem, text)
	}
	_, err := scenario.Read(filepath.Join(t.TempDir(), "none.txt"))
	require.ErrorIs(t, err, os.ErrNotExist)
}
