package client_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"loadgen"
	"loadgen/client"
	"loadgen/internal/memnet"
)

var engines = []client.Engine{client.Raw, client.Std}

// A wireCase is a response as it came over the wire, and what the record of it
// has to say.
type wireCase struct {
	About     string `json:"about"`
	Streaming bool   `json:"streaming"` // an event stream was asked for
	Close     bool   `json:"close"`     // the server closes behind the last byte
	Want      said   `json:"want"`

	wire []byte
}

// said is what of a record does not depend on time or on how the bytes were
// cut.
type said struct {
	Status   int      `json:"status"`
	Streamed bool     `json:"streamed"`
	Chunks   []string `json:"chunks"`
	Text     string   `json:"text"`
	Thought  string   `json:"thought"`
	Tools    string   `json:"tools"`
	Finish   string   `json:"finish"`
	Model    string   `json:"model"`
	Usage    usage    `json:"usage"`
	Failure  string   `json:"failure"`
	Message  string   `json:"message"` // a part of the failure's message
	Pause    string   `json:"pause"`   // that the server asks for
}

// usage has nil for what the server did not say.
type usage struct {
	Prompt, Completion, Reasoning, Cached, Total *int
}

var kindNames = [...]string{
	"content", "reasoning", "tool_call",
	"reasoning+content", "reasoning+tool_call", "content+tool_call", "reasoning+content+tool_call",
}

func saidBy(rec *loadgen.Record, message string) said {
	count := func(n int) *int {
		if n < 0 {
			return nil
		}
		return &n
	}
	s := said{
		Status: rec.Status, Streamed: rec.Streamed,
		Text: string(rec.Text), Thought: string(rec.Thought), Tools: string(rec.Tools),
		Finish: rec.FinishReason, Model: rec.Model,
		Usage: usage{
			count(rec.Usage.PromptTokens), count(rec.Usage.CompletionTokens),
			count(rec.Usage.ReasoningTokens), count(rec.Usage.CachedTokens), nil,
		},
	}
	if n := rec.Usage.TotalTokens; n != 0 {
		s.Usage.Total = &n
	}
	for _, c := range rec.Chunks {
		s.Chunks = append(s.Chunks, kindNames[c.Kind])
	}
	if f := rec.Failure; f != nil {
		s.Failure, s.Message = string(f.Kind), f.Message
		if strings.Contains(f.Message, message) {
			s.Message = message
		}
		if f.RetryAfter > 0 {
			s.Pause = f.RetryAfter.String()
		}
	}
	return s
}

func readCases(t testing.TB) map[string]wireCase {
	t.Helper()
	files, err := filepath.Glob("testdata/wire/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no wire cases: %v", err)
	}
	cases := map[string]wireCase{}
	for _, file := range files {
		var c wireCase
		text, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(text, &c)
		}
		if err == nil {
			c.wire, err = os.ReadFile(strings.TrimSuffix(file, ".json") + ".http")
		}
		if err != nil {
			t.Fatal(err)
		}
		cases[strings.TrimSuffix(filepath.Base(file), ".json")] = c
	}
	return cases
}

// A stage is a client and, in memory, a server that answers each request with
// the bytes it is given.
type stage struct {
	client *client.Client
	listen *memnet.Listener
	served sync.WaitGroup
	pieces atomic.Pointer[[][]byte] // each of them becomes a read of the client's
}

func newStage(t *testing.T, cfg client.Config, thenClose bool) *stage {
	t.Helper()
	s := &stage{listen: memnet.Listen()}
	cfg.URL, cfg.Dial = "http://server", s.listen.DialContext
	var err error
	s.client, err = client.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.served.Go(func() {
		for {
			conn, err := s.listen.Accept()
			if err != nil {
				return
			}
			s.served.Go(func() { s.serve(conn, thenClose) })
		}
	})
	return s
}

func (s *stage) serve(conn net.Conn, thenClose bool) {
	defer conn.Close()
	for in := bufio.NewReader(conn); readRequest(in) == nil; {
		for _, p := range *s.pieces.Load() {
			if _, err := conn.Write(p); err != nil {
				return
			}
		}
		if thenClose {
			return
		}
	}
}

func readRequest(in *bufio.Reader) error {
	q, err := http.ReadRequest(in)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, q.Body)
	return err
}

func (s *stage) answer(t *testing.T, pieces ...[]byte) *loadgen.Record {
	s.pieces.Store(&pieces)
	return send(t.Context(), s.client, `{"model":"m-1"}`)
}

func (s *stage) close() {
	s.client.Close()
	s.listen.Close()
	s.served.Wait()
}

// TestWire replays every recorded response, cut in two at every byte, and byte
// by byte: the record is the same each time.
func TestWire(t *testing.T) {
	for name, c := range readCases(t) {
		for _, engine := range engines {
			t.Run(name+"/"+string(engine), func(t *testing.T) {
				t.Parallel()
				s := newStage(t, client.Config{Engine: engine, Streaming: c.Streaming}, c.Close)
				defer s.close()
				check := func(how any, pieces ...[]byte) {
					rec := s.answer(t, pieces...)
					if got := saidBy(rec, c.Want.Message); !reflect.DeepEqual(c.Want, got) {
						t.Fatalf("%s; cut %v; want −, got +\n%s\n%+v", c.About, how, cmp.Diff(c.Want, got), rec.Failure)
					}
				}
				check("nowhere", c.wire)
				step := 1 + len(c.wire)/800
				if engine == client.Std {
					step *= 17 // net/http cuts and joins by itself, and is slow
				}
				for i := 1; i < len(c.wire); i += step {
					check(i, c.wire[:i], c.wire[i:])
				}
				if len(c.wire) < 4096 {
					check("everywhere", slices.Collect(slices.Chunk(c.wire, 1))...)
				}
			})
		}
	}
}
