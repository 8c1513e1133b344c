package trace

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"loadgen/internal/jsonstream"

	"loadgen"
)

// Open reads a trace and tells its kind by its content: the traces file
// or the CSV of the AIQ profiler, IntermediateStep JSON, OpenTelemetry spans
// (OTLP/JSON, or one span per line) with the GenAI or the NeMo Agent Toolkit's
// attributes, profile_export.jsonl of AIPerf or loadgen, or the result of
// vLLM's bench serve. The file is read as a stream; what is kept are the calls.
//
// Trace.Missing says what the recording lacks. A file of no known kind is
// [ErrUnknown]; of one that is cut short what could be read comes back
// beside the error, an io.ErrUnexpectedEOF.
func Open(path string) (*loadgen.Trace, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open trace: %w", err)
	}
	defer f.Close()
	tr, err := Read(f)
	if err != nil {
		return tr, fmt.Errorf("read trace %s: %w", path, err)
	}
	return tr, nil
}

// sniffed is how much of a file is looked at to tell what it is.
const sniffed = 64 << 10

// ErrUnknown is a file that is no trace of a known kind.
var ErrUnknown = errors.New("no known kind of trace: expected an AIQ traces file or CSV, OpenTelemetry spans as JSON, a profile_export.jsonl or a vLLM bench result")

// Read is OpenTrace for a stream.
func Read(r io.Reader) (*loadgen.Trace, error) {
	br := bufio.NewReaderSize(r, 1<<20)
	if mark, err := br.Peek(3); err == nil && string(mark) == "\xef\xbb\xbf" {
		br.Discard(3) // a byte order mark
	}
	head, err := br.Peek(sniffed)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return nil, err
	}
	if len(bytes.TrimSpace(head)) == 0 {
		return nil, errors.New("the file is empty")
	}
	read := kindOf(head)
	if read == nil {
		return nil, ErrUnknown
	}
	b := newBuilder()
	if err := read(br, b); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			err = fmt.Errorf("the file is cut short after %d calls: %w; record it again or cut off its broken end", len(b.calls), io.ErrUnexpectedEOF)
			return b.finish(), err
		}
		return nil, err
	}
	return b.finish(), nil
}

// kindOf picks the reader for a file that begins with head, nil for none.
func kindOf(head []byte) func(*bufio.Reader, *builder) error {
	if first := bytes.TrimSpace(head)[0]; first != '{' && first != '[' {
		line, _, _ := bytes.Cut(head, []byte("\n"))
		if bytes.Contains(line, []byte("event_type")) && bytes.Contains(line, []byte("UUID")) {
			return readCSVTrace
		}
		return nil
	}
	keys := firstKeys(head)
	has := func(names ...string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return slices.Contains(keys, n) })
	}
	switch {
	case has("intermediate_steps"):
		return readExamples
	case has("payload", "event_type"):
		return readSteps
	case has("resourceSpans", "resource_spans"):
		return readOTLP
	case has("spanId", "span_id", "context", "startTimeUnixNano", "start_time_unix_nano"):
		return readSpans
	case has("metadata") && has("metrics", "error"):
		return readProfileExport
	case has("ttfts", "input_lens", "num_prompts", "request_throughput", "total_input_tokens"):
		return readVLLM
	case bytes.Equal(bytes.Join(bytes.Fields(head), nil), []byte("[]")):
		return readExamples
	}
	return nil
}

// firstKeys returns the keys of the first object of a JSON text, as far as
// its beginning shows them.
func firstKeys(head []byte) []string {
	d := json.NewDecoder(bytes.NewReader(head))
	var keys []string
	depth, at := 0, -1
	key := false // the next string at the object's own depth is a key
	for range sniffed {
		token, err := d.Token()
		if err != nil {
			break
		}
		switch t := token.(type) {
		case json.Delim:
			switch t {
			case '{', '[':
				depth++
				if t == '{' && at < 0 {
					at, key = depth, true
					continue
				}
			default:
				if depth == at {
					return keys
				}
				depth--
			}
		case string:
			if depth == at && key {
				keys = append(keys, t)
				key = false
				continue
			}
		}
		key = depth == at
	}
	return keys
}

// elements calls each for every element of a file: those of its array, or the
// JSON texts that follow one another.
func elements(r *bufio.Reader, each func(s jsonstream.Stream) error) error {
	s := jsonstream.New(r)
	first := byte(0)
	for n := 1; first == 0 && n <= sniffed; n++ {
		head, err := r.Peek(n)
		if err != nil {
			return err
		}
		if c := head[n-1]; c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			first = c
		}
	}
	var err error
	if first == '[' {
		err = s.Array(func() error { return each(s) })
	} else {
		for err == nil && s.More() {
			err = each(s)
		}
	}
	if err == nil {
		if _, err = s.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = errors.New("more follows where the trace should end")
		}
	}
	return fmt.Errorf("near byte %d: %w", s.InputOffset(), err)
}
