package client_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
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
}

// usage has nil for what the server did not say.
type usage struct {
	Prompt, Completion, Reasoning, Cached *int
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
			count(rec.Usage.ReasoningTokens), count(rec.Usage.CachedTokens),
		},
	}
	for _, c := range rec.Chunks {
		s.Chunks = append(s.Chunks, [...]string{"content", "reasoning", "tool_call"}[c.Kind])
	}
	if f := rec.Failure; f != nil {
		s.Failure, s.Message = string(f.Kind), f.Message
		if strings.Contains(f.Message, message) {
			s.Message = message
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

// replay serves one connection: it reads a request and answers with the
// pieces, each of them a read of the client's.
func replay(conn net.Conn, pieces [][]byte, thenClose bool) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for readRequest(in) == nil {
		for _, p := range pieces {
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

// answers sends one request to a server in memory that answers with the pieces.
func answers(t testing.TB, engine client.Engine, streaming, thenClose bool, pieces ...[]byte) *loadgen.Record {
	t.Helper()
	l := memnet.Listen()
	var served sync.WaitGroup
	c, err := client.New(client.Config{
		URL: "http://server", Streaming: streaming, Engine: engine, Dial: l.DialContext,
	})
	if err != nil {
		t.Fatal(err)
	}
	served.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			served.Go(func() { replay(conn, pieces, thenClose) })
		}
	})
	rec := send(t.Context(), c, `{"model":"m-1"}`)
	c.Close()
	l.Close()
	served.Wait()
	return rec
}

// TestWire replays every recorded response, cut in two at every byte, and byte
// by byte: the record is the same each time.
func TestWire(t *testing.T) {
	for name, c := range readCases(t) {
		for _, engine := range engines {
			t.Run(name+"/"+string(engine), func(t *testing.T) {
				t.Parallel()
				check := func(how any, pieces ...[]byte) {
					rec := answers(t, engine, c.Streaming, c.Close, pieces...)
					if diff := cmp.Diff(c.Want, saidBy(rec, c.Want.Message)); diff != "" {
						t.Fatalf("%s; cut %v; want −, got +\n%s\n%+v", c.About, how, diff, rec.Failure)
					}
				}
				check("nowhere", c.wire)
				step := 1 + len(c.wire)/2000
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
