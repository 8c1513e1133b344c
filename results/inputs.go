package results

import (
	"encoding/json"

	"loadgen"
)

// Inputs writes inputs.json session by session; the file is whole at any time.
// Sessions are made ahead of their time: those that the run never started are
// cut off at the end. What it holds in memory is eight bytes a session.
type Inputs struct {
	run  *Run
	file *growing
	ends []int64 // the offset behind each session
}

const (
	inputsHead = "{\n  \"data\": ["
	inputsTail = "\n  ]\n}\n"
)

// Inputs begins the run's inputs.json.
func (r *Run) Inputs() (*Inputs, error) {
	file, err := r.grow(InputsName, inputsHead, inputsTail)
	return &Inputs{run: r, file: file}, err
}

// Add appends a session with the payloads of its turns. A turn whose body is
// only finished during the run stands with the messages known beforehand.
func (in *Inputs) Add(s *loadgen.Session) error {
	b := in.file.begin()
	before := len(b)
	if len(in.ends) > 0 {
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
	in.ends = append(in.ends, in.length()+int64(len(b)-before))
	return in.file.add(b)
}

// length is where the last session ends.
func (in *Inputs) length() int64 {
	if n := len(in.ends); n > 0 {
		return in.ends[n-1]
	}
	return int64(len(inputsHead))
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
	in.ends = in.ends[:min(keep, len(in.ends))]
	return in.run.close(in.file, in.length())
}
