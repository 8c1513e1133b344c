package results

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"

	"loadgen"
	"loadgen/internal/secret"
)

// Inputs writes inputs.json session by session. Sessions are made ahead of
// their time: those that the run never started are cut off at the end. What it
// holds in memory is eight bytes a session.
type Inputs struct {
	path string
	f    *os.File
	w    *bufio.Writer
	at   int64
	ends []int64 // the offset behind each session
	err  error

	secrets *secret.Set
}

// Inputs begins the run's inputs.json.
func (r *Run) Inputs() (*Inputs, error) {
	path := filepath.Join(r.Dir, InputsName)
	f, err := create(path)
	if err != nil {
		return nil, err
	}
	in := &Inputs{path: path, f: f, w: bufio.NewWriterSize(f, 256<<10), secrets: r.batch.Secrets}
	in.write([]byte("{\n  \"data\": ["))
	return in, failed(path, in.err)
}

// Add appends a session with the payloads of its turns. A turn whose body is
// only finished during the run stands with the messages known beforehand.
func (in *Inputs) Add(s *loadgen.Session) error {
	b := in.w.AvailableBuffer()
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
		in.write(append(b, "\n        "...))
		body := payload(q)
		if err := withoutSecrets(body, in.secrets); err != nil && in.err == nil {
			in.err = err
		}
		in.write(body)
		b = in.w.AvailableBuffer()
	}
	in.write(append(b, "\n      ]\n    }"...))
	in.ends = append(in.ends, in.at)
	return failed(in.path, in.err)
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

func (in *Inputs) write(b []byte) {
	n, err := in.w.Write(b)
	in.at += int64(n)
	if in.err == nil {
		in.err = err
	}
}

// Close ends the file after the first keep sessions, those that the run
// started, and gives it its name. After an error there is no file.
func (in *Inputs) Close(keep int) error {
	err := in.err
	if err == nil {
		err = in.w.Flush()
	}
	end := int64(len("{\n  \"data\": ["))
	if keep = min(keep, len(in.ends)); keep > 0 {
		end = in.ends[keep-1]
	}
	if err == nil {
		err = in.f.Truncate(end)
	}
	if err == nil {
		_, err = in.f.WriteAt([]byte("\n  ]\n}\n"), end)
	}
	if err != nil {
		discard(in.f)
		return failed(in.path, err)
	}
	return publish(in.f, in.path)
}
