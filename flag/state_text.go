package flag

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// remains is what a store keeps. Its changes are by flag.
type remains struct {
	Revision uint64             `json:"revision,omitzero"` // of the snapshot that served
	Source   string             `json:"source"`            // the document's
	At       time.Time          `json:"at"`                // when the document began to serve
	Earlier  []int              `json:"earlier,omitempty"` // the bytes of each document before it that some flags are still served from
	Changes  map[string]remnant `json:"changes"`
	texts    []string           // of the documents, the newest last
	laid     string             // the changes as they stand in the file
}

// outdated is a document that was replaced, and from which some flags are still served.
type outdated struct {
	text string
	keys []string // theirs
}

// remnant is what was changed of one flag at run time.
type remnant struct {
	Killed   bool            `json:"killed,omitempty"`
	Override string          `json:"override,omitempty"`
	Disabled *bool           `json:"disabled,omitempty"`
	Ramp     *Ramp           `json:"ramp,omitempty"`
	Put      json.RawMessage `json:"put,omitempty"` // a definition
	By       []Laid          `json:"by,omitempty"`  // who laid each of these there; a file may be without it, and then it was whoever comes next
	Actor    string          `json:"actor"`         // of the newest change
	Reason   string          `json:"reason"`
	At       time.Time       `json:"at"`
}

// stateHead is the first line of the file. Behind it stand the remains in a line, and
// then the documents as they are.
type stateHead struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
	Sum     string `json:"sha256"` // of everything behind the line
}

const (
	stateFormat  = "guidon flag state"
	stateVersion = 1
	stateBegins  = `{"format":"` + stateFormat + `"` // how it is written
)

// unchanged is laid of a store in which nobody has changed anything.
const unchanged = "{}"

// seal writes what the file has, and notes what it says of changes.
func (r *remains) seal() ([]byte, error) {
	laid, err := json.Marshal(r.Changes)
	r.laid = string(laid)
	line, wrong := json.Marshal(r)
	if err := errors.Join(err, wrong); err != nil {
		return nil, err
	}
	body := bytes.Join([][]byte{line, []byte(strings.Join(r.texts, ""))}, []byte("\n"))
	sum := sha256.Sum256(body)
	head, err := json.Marshal(stateHead{stateFormat, stateVersion, hex.EncodeToString(sum[:])})
	return bytes.Join([][]byte{head, body}, []byte("\n")), err
}

// unseal reads what the file has. Where it is not sure that a store wrote it, the error
// is not ErrDamaged.
func unseal(data []byte) (r remains, err error) {
	line, body, _ := bytes.Cut(data, []byte("\n"))
	var head stateHead
	switch wrong := json.Unmarshal(line, &head); {
	case len(bytes.Trim(data, "\x00")) == 0: // as some file systems leave what they were writing
		return r, fmt.Errorf("%w: it is empty", ErrDamaged)
	case wrong != nil && (bytes.HasPrefix(line, []byte(stateBegins)) || strings.HasPrefix(stateBegins, string(line))):
		return r, fmt.Errorf("%w: its first line breaks off", ErrDamaged)
	case wrong != nil || head.Format != stateFormat:
		return r, errors.New("is no state of a store, so nothing is kept and it stays as it is")
	case head.Version != stateVersion:
		return r, fmt.Errorf("has version %d, want %d, so nothing is kept and it stays as it is", head.Version, stateVersion)
	}
	if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != head.Sum {
		return r, fmt.Errorf("%w: its SHA-256 is another than it says", ErrDamaged)
	}
	line, texts, _ := bytes.Cut(body, []byte("\n"))
	var raw struct {
		Changes json.RawMessage `json:"changes"`
	}
	if err := errors.Join(json.Unmarshal(line, &r), json.Unmarshal(line, &raw)); err != nil {
		return r, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	r.laid = string(raw.Changes)
	for _, size := range r.Earlier {
		if size < 0 || size > len(texts) {
			return r, fmt.Errorf("%w: a document of %d bytes is not there", ErrDamaged, size)
		}
		r.texts = append(r.texts, string(texts[:size]))
		texts = texts[size:]
	}
	r.texts = append(r.texts, string(texts))
	return r, nil
}
