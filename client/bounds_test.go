package client_test

import (
	"slices"
	"strings"
	"testing"

	"loadgen"
	"loadgen/client"
)

// TestAStreamWithoutEndIsGivenUp has the output of a stream grow up to its
// bound and beyond: in long texts, and in texts of a byte, of which each takes
// 16 bytes more for its arrival.
func TestAStreamWithoutEndIsGivenUp(t *testing.T) {
	const mb = 1 << 20
	long := `data: {"choices":[{"delta":{"content":"` + strings.Repeat("x", mb) + `"}}]}` + "\n\n"
	thought := strings.Replace(long, "content", "reasoning", 1)
	tool := `data: {"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"` + strings.Repeat("x", mb) + `"}}]}}]}` + "\n\n"
	short := strings.Repeat(`data: {"choices":[{"text":"x"}]}`+"\n\n", 10_000)
	for name, c := range map[string]struct {
		piece  string
		times  int
		failed bool
	}{
		"31 MiB of content":    {long, 31, false},
		"33 MiB of content":    {long, 33, true},
		"33 MiB of reasoning":  {thought, 33, true},
		"33 MiB of a call":     {tool, 33, true},
		"1.9 million chunks":   {short, 190, false}, // 32.3 million bytes of 33.5
		"2 million chunks":     {short, 200, true},  // 34 million
		"both, each below it":  {long + thought, 17, true},
		"65 MiB of a role":     {strings.Replace(long, "content", "role", 1), 65, false},
		"65 MiB of keep-alive": {strings.Repeat(": keep-alive!!\n\n", mb/16), 65, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pieces := slices.Repeat([][]byte{[]byte(c.piece)}, c.times)
			pieces = append(pieces, []byte(`data: {"choices":[{"text":"x"}]}`+"\n\ndata: [DONE]\n\n"))
			rec := client.ReadStream(pieces...)
			if failed := rec.Failure != nil; failed != c.failed {
				t.Fatalf("failure %+v; want one: %t", rec.Failure, c.failed)
			}
			if c.failed && rec.Failure.Kind != loadgen.FailBadStream {
				t.Errorf("failure %+v; want %s", rec.Failure, loadgen.FailBadStream)
			}
		})
	}
}

func TestOversizedEventsAreNotKept(t *testing.T) {
	pad := strings.Repeat("x", 2<<20)
	for where, event := range map[string]string{
		"before the text": `{"id":"` + pad + `","choices":[{"text":"x"}]}`,
		"behind the text": `{"choices":[{"text":"x"}],"id":"` + pad + `"}`,
	} {
		if kept := client.KeptBetweenReplies([]byte(event)); kept > 1<<20 {
			t.Errorf("%s: %d bytes are kept, want no more than a mebibyte", where, kept)
		}
	}
}
