package results

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"strings"

	"loadgen"
)

// Inputs writes inputs.json session by session; the file is whole at any time.
// Sessions are made ahead of their time: those that the run never started are
// cut off at the end.
type Inputs struct {
	run   *Run
	file  *growing
	added int
	end   int64   // the offset behind the last session
	ends  []int64 // likewise behind each stride-th, from none
}

// stride is how many sessions lie between two whose ends are remembered, so that
// a long run does not grow by one for each. The others are found by reading.
const stride = 64

const (
	inputsHead = "{\n  \"data\": ["
	inputsTail = "\n  ]\n}\n"
)

// Inputs begins the run's inputs.json.
func (r *Run) Inputs() (*Inputs, error) {
	file, err := r.grow(InputsName, inputsHead, inputsTail)
	return &Inputs{run: r, file: file, end: int64(len(inputsHead))}, err
}

// Add appends a session with the payloads of its turns. A turn whose body is
// only finished during the run stands with the messages known beforehand.
func (in *Inputs) Add(s *loadgen.Session) error {
	if in.added%stride == 0 {
		in.ends = append(in.ends, in.end)
	}
	b := in.file.begin()
	before := len(b)
	if in.added > 0 {
		b = append(b, ',')
	}
	b = append(b, "\n    {\n      \"session_id\": "...)
	b = appendText(b, s.ID)
	b = append(b, ",\n      \"payloads\": ["...)
	for i, q := range s.Turns {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, "\n        "...)
		b = append(b, payload(q)...)
	}
	b = append(b, "\n      ]\n    }"...)
	in.added++
	in.end += int64(len(b) - before)
	return in.file.add(b)
}

func payload(q *loadgen.Request) []byte {
	if len(q.Body) > 0 {
		return q.Body
	}
	data, _ := json.Marshal(struct { // strings alone: it cannot fail
		Messages []loadgen.Message `json:"messages"`
	}{q.Messages})
	return data
}

// Close ends the file after the first keep sessions, those that the run
// started, and puts it on the disk.
func (in *Inputs) Close(keep int) error {
	end, err := in.end, error(nil)
	if keep < in.added {
		end, err = in.behind(keep)
	}
	return errors.Join(err, in.run.close(in.file, end))
}

// behind returns the offset behind the first sessions, of which there are more.
// Where the disk was full before, it is that of the last one in the file.
func (in *Inputs) behind(sessions int) (int64, error) {
	_ = in.file.flush() // closing the file tells of it
	end := in.ends[sessions/stride]
	if last := in.file.length(); end >= last {
		return last, nil
	}
	from := end
	if sessions >= stride {
		from++ // the comma between two sessions
	}
	d := json.NewDecoder(io.MultiReader(strings.NewReader("["), io.NewSectionReader(in.file.f, from, math.MaxInt64-from)))
	if _, err := d.Token(); err != nil {
		return end, failed(in.file.path, err)
	}
	var session json.RawMessage
	for range sessions % stride {
		if !d.More() {
			break
		}
		if err := d.Decode(&session); err != nil {
			return end, failed(in.file.path, err)
		}
		end = from - 1 + d.InputOffset()
	}
	return end, nil
}
