package rollout

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
)

// WriteLines writes records as JSON lines, each as it is in the file of a journal,
// byte for byte. A record that does not agree with its checksum is [ErrCorrupt].
func WriteLines(w io.Writer, records iter.Seq2[Record, error]) error {
	out := bufio.NewWriter(w)
	for r, err := range records {
		if err != nil {
			return err
		}
		text, err := line(r)
		if err != nil {
			return &Error{"write", "journal", err}
		}
		if _, err := out.Write(text); err != nil {
			return &Error{"write", "journal", err}
		}
	}
	if err := out.Flush(); err != nil {
		return &Error{"write", "journal", err}
	}
	return nil
}

// ReadLines reads what WriteLines wrote of a whole journal, or from a checkpoint on,
// and checks it as opening the journal does. It can be ranged over once. An
// incomplete last line is [ErrCorrupt].
func ReadLines(r io.Reader) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		in := newScanner(chain{}, r, 0)
		for {
			r, err := in.next()
			if errors.Is(err, io.EOF) {
				if in.torn == 0 {
					return
				}
				err = corrupt(fmt.Sprintf("at byte %d", in.at), errIncomplete)
			}
			if err != nil {
				yield(Record{}, &Error{"read", "journal", err})
				return
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

// line is what a record is in a file.
func line(r Record) ([]byte, error) {
	if r.Version != recordVersion {
		return nil, wrongVersion(r.Seq, r.Version)
	}
	again, text, err := seal(r)
	if err == nil && again.Sum != r.Sum {
		err = fmt.Errorf("%w: record %d does not agree with its checksum", ErrCorrupt, r.Seq)
	}
	return text, err
}
