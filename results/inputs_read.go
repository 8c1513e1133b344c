package results

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"loadgen/internal/jsonstream"

	"loadgen"
)

// Inputs yields the sessions of the run's inputs.json in order, each with the
// messages of its turns and of the turns before them; whatever else a payload
// holds, and what a server answered, is passed over. The
// file is read as a stream. Without the file there are no sessions; a file
// that is cut short ends with an io.ErrUnexpectedEOF.
func (r *Recorded) Inputs() iter.Seq2[*loadgen.Session, error] {
	return func(yield func(*loadgen.Session, error) bool) {
		f, err := os.Open(filepath.Join(r.Dir, InputsName))
		if errors.Is(err, fs.ErrNotExist) {
			return
		}
		if err != nil {
			yield(nil, fmt.Errorf("open run %s: %w", r.Dir, err))
			return
		}
		defer f.Close()
		if err := readInputs(f, func(s *loadgen.Session) bool { return yield(s, nil) }); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			yield(nil, fmt.Errorf("read %s: %w", f.Name(), err))
		}
	}
}

// errStopped ends a walk whose caller has seen enough.
var errStopped = errors.New("stopped")

func readInputs(r io.Reader, yield func(*loadgen.Session) bool) error {
	s := jsonstream.New(bufio.NewReaderSize(r, 1<<20))
	index := 0
	err := s.Object(func(key string) error {
		if key != "data" {
			return s.Skip()
		}
		return s.Array(func() error {
			var entry struct {
				ID       string         `json:"session_id"`
				Payloads []inputPayload `json:"payloads"`
			}
			if err := s.Decode(&entry); err != nil {
				return err
			}
			session := &loadgen.Session{ID: entry.ID, Index: index}
			var before []loadgen.Message
			for i, p := range entry.Payloads {
				before = withHistory(before, p.messages())
				// The turns share the messages of their history.
				session.Turns = append(session.Turns, &loadgen.Request{Session: entry.ID, Turn: i, Messages: slices.Clip(before)})
			}
			if index++; !yield(session) {
				return errStopped
			}
			return nil
		})
	})
	if errors.Is(err, errStopped) {
		return nil
	}
	return err
}

// withHistory returns the messages of a turn with those of the turns before it,
// where its payload does not hold them: the server's answers were not known when
// it was made, and are not in the file.
func withHistory(before, own []loadgen.Message) []loadgen.Message {
	answered := slices.ContainsFunc(own, func(m loadgen.Message) bool { return m.Role == "assistant" })
	switch {
	case answered, len(own) > len(before) && slices.Equal(before, own[:len(before)]):
		return own
	case len(before) == 1 && len(own) == 1 && strings.HasPrefix(own[0].Content, before[0].Content+"\n"):
		return own // a prompt that is one text
	}
	return append(before, own...)
}

// An inputPayload is a request body of either endpoint.
type inputPayload struct {
	Messages []struct {
		Role    string          `json:"role"`
		Content json.RawMessage `json:"content"`
	} `json:"messages"`
	Prompt json.RawMessage `json:"prompt"`
}

func (p *inputPayload) messages() []loadgen.Message {
	if len(p.Messages) == 0 && len(p.Prompt) > 0 {
		return []loadgen.Message{{Role: "user", Content: jsonstream.Text(p.Prompt)}}
	}
	out := make([]loadgen.Message, len(p.Messages))
	for i, m := range p.Messages {
		out[i] = loadgen.Message{Role: m.Role, Content: jsonstream.Text(m.Content)}
	}
	return out
}
