package scenario

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// Story is a file of commands and of what they said.
type Story struct {
	path string
	said string  // the file as it is
	told []block // the same, in blocks
}

// block is a command with what it should say, or a line for the reader.
type block struct {
	line    int    // from 1
	text    string // as it stands in the file
	command Command
	want    string
	got     string
}

// Command is one line of a story.
type Command struct {
	Name string   // its first word; empty for a line that is no command
	Args []string // the other words; "some text" in double quotes is one word
	Text string   // what stands behind the first word, as it stands
}

// indent is what stands before what a command said.
const indent = "    "

// Read reads a story. It does no more with files until [Story.Check], so that the
// story may be played where nothing may touch a disk.
func Read(path string) (*Story, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s := &Story{path: path, said: strings.ReplaceAll(string(data), "\r\n", "\n")}
	for i, text := range strings.Split(strings.TrimRight(s.said, "\n"), "\n") {
		if output := strings.TrimLeft(text, " \t"); output != text && output != "" {
			if len(s.told) == 0 || s.told[len(s.told)-1].command.Name == "" {
				return nil, fmt.Errorf("%s:%d: says %q without a command", path, i+1, output)
			}
			s.told[len(s.told)-1].want += strings.TrimPrefix(text, indent) + "\n"
			continue
		}
		command, err := parse(text)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, i+1, err)
		}
		s.told = append(s.told, block{line: i + 1, text: text, command: command})
	}
	return s, nil
}

// parse splits a line into words.
func parse(text string) (Command, error) {
	var words []string
	rest := strings.TrimSpace(text)
	if strings.HasPrefix(rest, "#") {
		return Command{}, nil
	}
	for rest != "" {
		word, after, quoted := "", "", strings.HasPrefix(rest, `"`)
		if quoted {
			var closed bool
			if word, after, closed = strings.Cut(rest[1:], `"`); !closed {
				return Command{}, errors.New(`a " without its other half`)
			}
		} else {
			word, after, _ = strings.Cut(rest, " ")
		}
		words, rest = append(words, word), strings.TrimLeft(after, " ")
	}
	if len(words) == 0 {
		return Command{}, nil
	}
	_, text, _ = strings.Cut(strings.TrimSpace(text), " ")
	return Command{words[0], words[1:], strings.TrimSpace(text)}, nil
}

// Play carries out every command, in order. What do returns is what it said: lines,
// or nothing.
func (s *Story) Play(do func(Command) string) {
	for i := range s.told {
		if b := &s.told[i]; b.command.Name != "" {
			if b.got = strings.TrimRight(do(b.command), "\n"); b.got != "" {
				b.got += "\n"
			}
		}
	}
}

// Check says where the commands said something else than the file has, or, to
// update it, writes into the file what they said.
func (s *Story) Check(update bool) error {
	var now strings.Builder
	var problems []error
	for _, b := range s.told {
		fmt.Fprintln(&now, b.text)
		for line := range strings.Lines(b.got) {
			now.WriteString(strings.TrimRight(indent+line, " \n") + "\n")
		}
		if b.got != b.want {
			problems = append(problems, fmt.Errorf("%s:%d: %s\ngot:\n%swant:\n%s", s.path, b.line, b.text, b.got, b.want))
		}
	}
	if update && now.String() != s.said {
		return os.WriteFile(s.path, []byte(now.String()), 0o644)
	}
	if update {
		return nil
	}
	return errors.Join(problems...)
}
