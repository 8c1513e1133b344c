package synth_test

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"unicode/utf8"

	"loadgen"
	"loadgen/synth"
)

// long matches lengths whose prompts take their time to make.
var long = regexp.MustCompile(`[0-9]{5,}|[0-9][eE]`)

// FuzzDataset asks of any file and format that it is either refused in words or
// gives sessions that can be sent, each as often as the file is read.
func FuzzDataset(f *testing.F) {
	for format := range every {
		f.Add(uint8(format), []byte(fileOf(format, "caf\u00e9")))
		f.Add(uint8(format), []byte("["+fileOf(format, `\ud83d`)+"]"))
	}
	f.Add(uint8(synth.MultiTurn), []byte(`{"turns": [{"role": "system", "text": "S"}, {"text": "a", "delay": 5}, {"role": "assistant", "text": "A"}, {"text": "b", "max_tokens": 3}]}`))
	f.Add(uint8(synth.MooncakeTrace), []byte(`{"timestamp": 0.5, "input_length": 40, "hash_ids": [-1, 2]}`))
	f.Add(uint8(synth.InputsJSON), []byte(`{"data": [{"payload": [{"prompt": ["a", "b"]}, {"messages": [], "prompt": "c"}]}], "x": {}}`))
	f.Add(uint8(synth.SingleTurn), []byte("\xff\xfe{"))
	path := filepath.Join(f.TempDir(), "data")
	f.Fuzz(func(t *testing.T, format uint8, text []byte) {
		if format == 0 || format > uint8(synth.InputsJSON) || len(text) > 1<<16 || long.Match(text) {
			return
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if found, err := synth.Detect(path); (found == synth.NoFormat) == (err == nil) {
			t.Errorf("detected %v, %v", found, err)
		}
		s, err := synth.New(synth.Spec{File: path, Format: synth.Format(format), BlockTokens: 16}, lexicon(byteTokens{}))
		if err != nil {
			return
		}
		defer s.Close()
		for i := range min(s.Len(), 100) {
			session, err := s.Next()
			if err != nil {
				t.Fatalf("a file that was found good fails at session %d: %v", i, err)
			}
			checkSession(t, s, session)
		}
		if s.Len() > 100 {
			return
		}
		if _, err := s.Next(); err != io.EOF {
			t.Fatalf("after all sessions the source says %v, not that it has ended", err)
		}
	})
}

// checkSession asks of a session that its turns can be sent, each after an answer
// to the one before.
func checkSession(t *testing.T, s *synth.Source, session *loadgen.Session) {
	t.Helper()
	if len(session.Turns) == 0 {
		t.Fatal("a session has no turns")
	}
	for k, r := range session.Turns {
		if k > 0 {
			s.Follow(&loadgen.Record{Request: session.Turns[k-1], Text: []byte(`so "it" is`)}, r)
		}
		if len(r.Messages) == 0 {
			t.Errorf("turn %d has no message", k)
		}
		for _, m := range r.Messages {
			if !utf8.ValidString(m.Content) {
				t.Errorf("%q is not UTF-8", m.Content)
			}
		}
		if r.Body != nil && !json.Valid(r.Body) {
			t.Errorf("%q is not JSON", r.Body)
		}
	}
}
