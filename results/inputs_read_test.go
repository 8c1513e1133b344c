package results

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"loadgen"
)

func TestInputsAreReadOfEitherEndpoint(t *testing.T) {
	tests := []struct {
		name, file string
		want       []string // each turn as session/turn: contents
		err        error
	}{
		{
			"chat messages, with contents as text or in parts",
			`{"data": [{"session_id": "a", "payloads": [{"model": "m", "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]}, {"messages": [{"role": "user", "content": [1]}]}]}]}`,
			[]string{"a/0: s|u", "a/1: s|u|[1]"},
			nil,
		},
		{"prompts of completions", `{"data": [{"session_id": "b", "payloads": [{"prompt": "p"}]}]}`, []string{"b/0: p"}, nil},
		{
			"turns that hold what went before them",
			`{"data": [{"session_id": "e", "payloads": [{"messages": [{"role": "user", "content": "1"}]}, {"messages": [{"role": "user", "content": "1"}, {"role": "assistant", "content": "A"}, {"role": "user", "content": "2"}]}]},` +
				` {"session_id": "f", "payloads": [{"prompt": "1"}, {"prompt": "1\nA\n2"}]}]}`,
			[]string{"e/0: 1", "e/1: 1|A|2", "f/0: 1", "f/1: 1\nA\n2"},
			nil,
		},
		{
			"turns of their own messages alone, alike too",
			`{"data": [{"session_id": "g", "payloads": [{"prompt": "1"}, {"prompt": "1"}, {"prompt": "2"}]}]}`,
			[]string{"g/0: 1", "g/1: 1|1", "g/2: 1|1|2"},
			nil,
		},
		{"no sessions", `{"data": []}`, nil, nil},
		{"keys that are not known", `{"more": [{}], "data": [{"session_id": "c", "payloads": []}]}`, nil, nil},
		{"a file that is cut short", `{"data": [{"session_id": "d", "payloads": [{"prompt": "p"}]}, {"session`, []string{"d/0: p"}, io.ErrUnexpectedEOF},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			err := readInputs(strings.NewReader(tt.file), func(s *loadgen.Session) bool {
				for i, q := range s.Turns {
					var contents []string
					for _, m := range q.Messages {
						contents = append(contents, m.Content)
					}
					got = append(got, s.ID+"/"+string(rune('0'+i))+": "+strings.Join(contents, "|"))
				}
				return true
			})
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			if !errors.Is(err, tt.err) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
