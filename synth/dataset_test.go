package synth_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"loadgen"
	"loadgen/synth"
)

// drain takes all sessions of a source.
func drain(t testing.TB, s *synth.Source) []*loadgen.Session {
	t.Helper()
	var sessions []*loadgen.Session
	for range 10_000 {
		session, err := s.Next()
		if err == io.EOF {
			return sessions
		}
		if err != nil {
			t.Fatal(err)
		}
		sessions = append(sessions, session)
	}
	t.Fatal("the source does not end")
	return nil
}

// A sent is what a test looks at in a request.
type sent struct {
	Messages []loadgen.Message
	Max      int
	Delay    time.Duration
	Body     string
}

func sentBy(sessions []*loadgen.Session) [][]sent {
	var all [][]sent
	for _, s := range sessions {
		var turns []sent
		for _, r := range s.Turns {
			turns = append(turns, sent{r.Messages, r.MaxTokens, r.Delay, string(r.Body)})
		}
		all = append(all, turns)
	}
	return all
}

func user(text string) []loadgen.Message { return []loadgen.Message{{Role: "user", Content: text}} }

func TestDatasetsBecomeSessions(t *testing.T) {
	said := func(parts ...string) []loadgen.Message { // role, content, …
		var m []loadgen.Message
		for i := 0; i < len(parts); i += 2 {
			m = append(m, loadgen.Message{Role: parts[i], Content: parts[i+1]})
		}
		return m
	}
	for _, row := range []struct {
		name   string
		format synth.Format
		spec   synth.Spec
		text   string
		want   [][]sent
	}{
		{
			"single turns, the length of the batch where the line has none", synth.SingleTurn,
			synth.Spec{Output: synth.Normal{Mean: 9}},
			"{\"text\": \"Hello.\", \"output_length\": 5, \"id\": 7}\n\n{\"prompt\": \"Good \\u0062ye.\", \"role\": \"tool\"}",
			[][]sent{{{Messages: user("Hello."), Max: 5}}, {{Messages: said("tool", "Good bye."), Max: 9}}},
		},
		{
			"a byte order mark", synth.SingleTurn,
			synth.Spec{},
			"\ufeff{\"text\": \"a\"}\r\n{\"text\": \"b\"}\r\n",
			[][]sent{{{Messages: user("a")}}, {{Messages: user("b")}}},
		},
		{
			"a conversation that the server continues", synth.MultiTurn,
			synth.Spec{},
			`{"session_id": "x", "turns": [{"role": "system", "text": "Be brief."}, {"text": "Hi"}, {"role": "assistant", "text": "Ho"}, {"text": "And?", "delay": 1500, "output_length": 3}]}`,
			[][]sent{{
				{Messages: said("system", "Be brief.", "user", "Hi")},
				{Messages: user("And?"), Max: 3, Delay: 1500 * time.Millisecond},
			}},
		},
		{
			"a conversation with the answers it has", synth.MultiTurn,
			synth.Spec{History: synth.SyntheticHistory},
			`{"turns": [{"text": "Hi"}, {"role": "assistant", "text": "Ho"}, {"text": "And?"}]}`,
			[][]sent{{
				{Messages: user("Hi")},
				{Messages: said("user", "Hi", "assistant", "Ho", "user", "And?")},
			}},
		},
		{
			"an array of ShareGPT", synth.ShareGPT,
			synth.Spec{History: synth.SyntheticHistory},
			`[{"id": "a", "conversations": [{"from": "gpt", "value": "unheard"}, {"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Ho"}, {"from": "human", "value": "Bye"}, {"from": "gpt", "value": "So long"}]},
			  {"id": "empty", "conversations": []},
			  {"id": "b", "conversations": [{"from": "system", "value": "S"}, {"from": "user", "value": "Q"}]}]`,
			[][]sent{
				{{Messages: user("Hi")}, {Messages: said("user", "Hi", "assistant", "Ho", "user", "Bye")}},
				{{Messages: said("system", "S", "user", "Q")}},
			},
		},
		{
			"ShareGPT as lines", synth.ShareGPT,
			synth.Spec{},
			"{\"conversations\": [{\"from\": \"human\", \"value\": \"Hi\"}]}\n{\"conversations\": [{\"from\": \"human\", \"value\": \"Ho\"}]}\n",
			[][]sent{{{Messages: user("Hi")}}, {{Messages: user("Ho")}}},
		},
		{
			"the inputs of a run, byte for byte", synth.InputsJSON,
			synth.Spec{Output: synth.Normal{Mean: 9}},
			"{\n  \"note\": [1, {}],\n  \"data\": [\n    {\n      \"session_id\": \"session_000000\",\n      \"payloads\": [\n" +
				"        {\"model\": \"m\", \"messages\": [{\"role\": \"user\", \"content\": \"a\\u003cb\"}], \"max_tokens\": 4, \"top_p\": 1.50},\n" +
				"        {\"model\": \"m\", \"prompt\": [\"p\", \"q\"]}\n      ]\n    },\n    {\"payloads\": [{\"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"text\", \"text\": \"T\"}]}]}]}\n  ]\n}\n",
			[][]sent{
				{
					{Messages: user("a<b"), Max: 4, Body: `{"model":"m","messages":[{"role":"user","content":"a\u003cb"}],"max_tokens":4,"top_p":1.50}`},
					{Messages: user("pq"), Body: `{"model":"m","prompt":["p","q"]}`},
				},
				{{Messages: user("T"), Body: `{"messages":[{"role":"user","content":[{"type":"text","text":"T"}]}]}`}},
			},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			tok := builtin(t, "cl100k_base")
			spec := row.spec
			spec.File, spec.Format = write(t, "dataset", row.text), row.format
			s := open(t, spec, tok)
			sessions := drain(t, s)
			if diff := cmp.Diff(row.want, sentBy(sessions)); diff != "" {
				t.Errorf("sessions (-want +got):\n%s", diff)
			}
			if s.Len() != len(row.want) {
				t.Errorf("the source says it has %d sessions, want %d", s.Len(), len(row.want))
			}
			for _, session := range sessions {
				for _, r := range session.Turns {
					if got := tokens(tok, r); got != r.InputTokens {
						t.Errorf("turn %d of %s has %d tokens and says %d", r.Turn, session.ID, got, r.InputTokens)
					}
				}
			}
		})
	}
}

func TestBadDatasetsAreReportedLineByLine(t *testing.T) {
	for _, row := range []struct {
		name   string
		format synth.Format
		text   string
		want   []string
	}{
		{
			"every bad line", synth.SingleTurn, "{\"text\": \"fine\"}\n{\"text\": 3}\n\n{\"text\": \"\"}\n{\"text\": \"x\", \"output_length\": 0}\nnot JSON\n{\"text\": \"x\", \"image\": \"y\"}\n{\"text\": \"x\", \"prompt\": \"x\"}",
			[]string{`d:2: "text" cannot be a JSON number`, "d:4: there is no prompt", "d:5: output_length: 0", "d:6: it is not JSON", `d:7: "image" is not supported`, "d:8: text and prompt are both given"},
		},
		{"a file without entries", synth.SingleTurn, "\n\n", []string{"there is no entry of type single_turn"}},
		{"some times missing", synth.SingleTurn, "{\"text\": \"a\", \"timestamp\": 3}\n{\"text\": \"b\"}", []string{"1 of 2 entries say when they are due"}},
		{"both kinds of time", synth.SingleTurn, "{\"text\": \"a\", \"timestamp\": 3, \"delay\": 4}", []string{"d:1: timestamp and delay are both given"}},
		{"times that go back", synth.MooncakeTrace, "{\"timestamp\": 3, \"input_length\": 1}\n{\"timestamp\": 2, \"input_length\": 1}", []string{"d:2: the timestamp 2 is before that of the entry above"}},
		{"a negative time", synth.MooncakeTrace, `{"timestamp": -3, "input_length": 1}`, []string{"d:1: the timestamp -3 is not a time"}},
		{"a trace without lengths", synth.MooncakeTrace, `{"timestamp": 3}`, []string{"d:1: one of input_length and text_input"}},
		{"too many blocks", synth.MooncakeTrace, `{"input_length": 512, "hash_ids": [1, 2]}`, []string{"d:1: hash_ids: 2 blocks of 512 tokens are more than the input_length of 512 has"}},
		{"a pool with times", synth.RandomPool, `{"text": "a", "timestamp": 3}`, []string{"d:1: entries of a random_pool come in no order"}},
		{"a session in single turns", synth.SingleTurn, `{"text": "a", "session_id": "s"}`, []string{"d:1: session_id"}},
		{"no user's turn", synth.MultiTurn, `{"turns": []}`, []string{"d:1: there is no user's turn"}},
		{"an assistant that begins", synth.MultiTurn, `{"turns": [{"role": "assistant", "text": "Hi"}]}`, []string{"d:1: turn 1: the assistant speaks before"}},
		{"a later timestamp", synth.MultiTurn, `{"turns": [{"text": "a"}, {"text": "b", "timestamp": 4}]}`, []string{"d:1: turn 2: only the first turn has a timestamp"}},
		{"an array that ends early", synth.ShareGPT, "[\n{\"conversations\": [{\"from\": \"human\", \"value\": \"Hi\"}]},\n", []string{"d:3: the file ends before its JSON does"}},
		{"a bad element of an array", synth.ShareGPT, "[\n{\"conversations\": [{\"from\": \"human\", \"value\": \"Hi\"}]},\n{\"conversations\": 3}]", []string{`d:3: "conversations" cannot be a JSON number`}},
		{"inputs without data", synth.InputsJSON, `{"a": 1}`, []string{`the object has no key "data"`}},
		{"inputs that are a list", synth.InputsJSON, `[]`, []string{"it begins with [ where a { belongs"}},
		{"a session without payloads", synth.InputsJSON, `{"data": [{"session_id": "s"}]}`, []string{"d:1: the session has no payloads"}},
		{"a payload without a prompt", synth.InputsJSON, "{\"data\":\n[{\"payloads\": [{\"model\": \"m\"}]}]}", []string{"d:2: payload 1: it has neither messages nor a prompt"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := synth.New(synth.Spec{File: write(t, "d", row.text), Format: row.format}, lexicon(byteTokens{}))
			if err == nil {
				t.Fatal("there is no error")
			}
			for _, want := range row.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error:\n%v\nwant %q in it", err, want)
				}
			}
		})
	}
}

func TestFaultsAreReportedUpToACap(t *testing.T) {
	_, err := synth.New(synth.Spec{File: write(t, "d", strings.Repeat("{}\n", 1000)), Format: synth.SingleTurn}, lexicon(byteTokens{}))
	if err == nil {
		t.Fatal("there is no error")
	}
	if n := strings.Count(err.Error(), "there is no prompt in it"); n != 20 {
		t.Errorf("%d faults are reported, want 20", n)
	}
	if !strings.Contains(err.Error(), "there may be more faults") {
		t.Errorf("the error does not say that reading stopped: %v", err)
	}
}

func TestATraceGivesTimesAndSharedBlocks(t *testing.T) {
	tok := builtin(t, "cl100k_base")
	s := open(t, synth.Spec{Seed: 1, Format: synth.MooncakeTrace, File: write(t, "trace.jsonl",
		`{"timestamp": 1000, "input_length": 1100, "output_length": 5, "hash_ids": [0, 1, 2]}
{"timestamp": 1000.5, "input_length": 1030, "output_length": 6, "hash_ids": [0, 1, 3]}
{"timestamp": 4000, "input_length": 20, "output_length": 0}
{"timestamp": 4000, "text_input": "as it stands"}
`)}, tok)
	want := []time.Duration{0, 500 * time.Microsecond, 3 * time.Second, 3 * time.Second}
	if diff := cmp.Diff(want, s.Times()); diff != "" {
		t.Errorf("times (-want +got):\n%s", diff)
	}
	sessions := drain(t, s)
	var words [][]string
	for i, row := range []struct{ input, output int }{{1100, 5}, {1030, 6}, {20, 0}, {3, 0}} {
		r := sessions[i].Turns[0]
		if got := tokens(tok, r); got != row.input || r.InputTokens != row.input || r.MaxTokens != row.output {
			t.Errorf("request %d has %d tokens, says %d and asks for %d, want %+v", i, got, r.InputTokens, r.MaxTokens, row)
		}
		words = append(words, strings.Fields(r.Messages[0].Content))
	}
	shared := 0
	for shared < 1030 && words[0][shared] == words[1][shared] {
		shared++
	}
	if shared != 1024 {
		t.Errorf("two requests with two blocks in common share %d tokens, want 1024", shared)
	}
	if sessions[3].Turns[0].Messages[0].Content != "as it stands" {
		t.Errorf("text_input became %q", sessions[3].Turns[0].Messages[0].Content)
	}
}

func TestADelayInALineIsTheTimeSinceTheLineBefore(t *testing.T) {
	s := open(t, synth.Spec{Format: synth.SingleTurn, File: write(t, "d",
		"{\"text\": \"a\", \"delay\": 5000}\n{\"text\": \"b\", \"delay\": 100}\n{\"text\": \"c\", \"delay\": 250}\n")}, byteTokens{})
	want := []time.Duration{0, 100 * time.Millisecond, 350 * time.Millisecond}
	if diff := cmp.Diff(want, s.Times()); diff != "" {
		t.Errorf("times (-want +got):\n%s", diff)
	}
}

// prompts writes a dataset of n lines.
func prompts(t testing.TB, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "{\"text\": \"prompt %d\"}\n", i)
	}
	return write(t, "prompts.jsonl", b.String())
}

func TestADatasetIsReusedOnlyWhenAsked(t *testing.T) {
	path := prompts(t, 10)
	for _, format := range []synth.Format{synth.SingleTurn, synth.RandomPool} {
		if got := len(drain(t, open(t, synth.Spec{File: path, Format: format}, byteTokens{}))); got != 10 {
			t.Errorf("%v: %d sessions of a file with 10, want 10", format, got)
		}
		s := open(t, synth.Spec{File: path, Format: format, Wrap: true, Sessions: 25}, byteTokens{})
		count := map[string]int{}
		ids := map[string]bool{}
		for i, session := range drain(t, s) {
			count[session.Turns[0].Messages[0].Content]++
			ids[session.Turns[0].ID] = true
			if i == 9 && len(count) != 10 {
				t.Errorf("%v: %d of 10 entries are taken in the first round", format, len(count))
			}
		}
		if got := s.Stats().Reused; got != 15 {
			t.Errorf("%v: %d sessions are counted as reused, want 15", format, got)
		}
		if len(ids) != 25 {
			t.Errorf("%v: %d request IDs of 25 are different", format, len(ids))
		}
		for text, n := range count {
			if n < 2 || n > 3 {
				t.Errorf("%v: %q is taken %d times in 25, want 2 or 3", format, text, n)
			}
		}
	}
}

func TestAPoolIsShuffledByTheSeed(t *testing.T) {
	path := prompts(t, 50)
	order := func(seed loadgen.Seed) string {
		var texts []string
		for _, s := range drain(t, open(t, synth.Spec{Seed: seed, File: path, Format: synth.RandomPool}, byteTokens{})) {
			texts = append(texts, s.Turns[0].Messages[0].Content)
		}
		return strings.Join(texts, ",")
	}
	if first, again := order(1), order(1); first != again {
		t.Error("the same seed gives two orders")
	}
	if order(1) == order(2) {
		t.Error("two seeds give the same order")
	}
}

func TestTheWarmUpOfADatasetIsNotTakenFromIt(t *testing.T) {
	path := write(t, "d", "{\"text\": \"twelve bytes\", \"output_length\": 5}\n")
	s := open(t, synth.Spec{File: path, Format: synth.SingleTurn, Phase: loadgen.Warmup, Sessions: 3}, byteTokens{})
	for _, session := range drain(t, s) {
		r := session.Turns[0]
		if r.InputTokens != 12 || r.MaxTokens != 5 || r.Messages[0].Content == "twelve bytes" {
			t.Errorf("warm-up sends %q, %d tokens, for %d; want other words of the same lengths", r.Messages[0].Content, r.InputTokens, r.MaxTokens)
		}
	}
}

func TestAnEndlessEntryIsGivenUp(t *testing.T) {
	for _, format := range []synth.Format{synth.SingleTurn, synth.ShareGPT} {
		head := "[\n{\"a\": 1},\n\""
		if format == synth.SingleTurn {
			head = "\n{\"a\": 1}\n\""
		}
		lines, err := synth.ReadItems(format, io.MultiReader(strings.NewReader(head), endless{}), 1<<18)
		if err == nil || !strings.Contains(err.Error(), "the entry is longer than 262144 bytes") {
			t.Errorf("%v: error %v, want one of length", format, err)
		}
		if diff := cmp.Diff([]int{2, 3}, lines); diff != "" {
			t.Errorf("%v: lines of the entries, the bad one last (-want +got):\n%s", format, diff)
		}
	}
}

// endless never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

func TestNotEveryFileIsADataset(t *testing.T) {
	_, err := synth.New(synth.Spec{File: t.TempDir(), Format: synth.RandomPool}, lexicon(byteTokens{}))
	if err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a directory gives the error %v", err)
	}
	_, err = synth.New(synth.Spec{File: "none.jsonl", Format: synth.RandomPool}, lexicon(byteTokens{}))
	if err == nil || errors.Is(err, io.EOF) || !strings.Contains(err.Error(), "none.jsonl") {
		t.Errorf("a missing file gives the error %v", err)
	}
}
