package client_test

import (
	"encoding/json"
	"math"
	"testing"

	"loadgen"
	"loadgen/client"
)

func TestPayload(t *testing.T) {
	chat := []loadgen.Message{{Role: "system", Content: "Be brief."}, {Role: "user", Content: "Hi"}}
	for name, c := range map[string]struct {
		options client.PayloadOptions
		request loadgen.Request
		want    string
	}{
		"chat, streamed": {
			client.PayloadOptions{Model: "m", Streaming: true},
			loadgen.Request{Messages: chat, MaxTokens: 9},
			`{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"}],"model":"m","stream":true,"stream_options":{"include_usage":true},"max_completion_tokens":9}`,
		},
		"chat, whole, no limit": {
			client.PayloadOptions{Model: "m"},
			loadgen.Request{Messages: chat[1:]},
			`{"messages":[{"role":"user","content":"Hi"}],"model":"m","stream":false}`,
		},
		"the older name of the limit": {
			client.PayloadOptions{Model: "m", LegacyMaxTokens: true},
			loadgen.Request{Messages: chat[1:], MaxTokens: 9},
			`{"messages":[{"role":"user","content":"Hi"}],"model":"m","stream":false,"max_tokens":9}`,
		},
		"completions take a bare string": {
			client.PayloadOptions{Model: "m", Type: client.Completions},
			loadgen.Request{Messages: chat, MaxTokens: 9},
			`{"prompt":"Be brief.\nHi","model":"m","stream":false,"max_tokens":9}`,
		},
		"extra inputs come sorted": {
			client.PayloadOptions{Model: "m", Extra: map[string]any{"temperature": 0, "ignore_eos": true, "min_tokens": 5}},
			loadgen.Request{Messages: chat[1:]},
			`{"messages":[{"role":"user","content":"Hi"}],"model":"m","stream":false,"ignore_eos":true,"min_tokens":5,"temperature":0}`,
		},
		"extra inputs win": {
			client.PayloadOptions{Model: "m", Streaming: true, Extra: map[string]any{"model": "other", "stream_options": nil, "max_completion_tokens": 3, "messages": []int{}, "stream": false}},
			loadgen.Request{Messages: chat, MaxTokens: 9},
			`{"max_completion_tokens":3,"messages":[],"model":"other","stream":false}`,
		},
		"a null takes away what is generated, and goes out where nothing is": {
			client.PayloadOptions{Model: "m", Streaming: true, IgnoreEOS: true, MinTokens: true, Extra: map[string]any{
				"model": nil, "max_completion_tokens": nil, "min_tokens": nil, "ignore_eos": nil, "max_tokens": nil, "stop": nil,
				"stream_options": map[string]any{"include_usage": nil, "x": 1}, "template": map[string]any{"y": nil},
			}},
			loadgen.Request{Messages: chat[1:], MaxTokens: 9},
			`{"messages":[{"role":"user","content":"Hi"}],"stream":true,"stop":null,"stream_options":{"x":1},"template":{"y":null}}`,
		},
		"numbers and texts of extra inputs are as written": {
			client.PayloadOptions{Type: client.Completions, Extra: map[string]any{
				"seed": json.Number("18446744073709551615"), "big": json.Number("1e400"), "stop": "</s> & <b>", "list": []any{json.Number("-0.10")},
				"prompt": nil, "model": nil, "stream": nil,
			}},
			loadgen.Request{Messages: chat[1:]},
			`{"big":1e400,"list":[-0.10],"seed":18446744073709551615,"stop":"</s> & <b>"}`,
		},
		"text is escaped as JSON demands": {
			client.PayloadOptions{Model: `m"1`},
			loadgen.Request{Messages: []loadgen.Message{{Role: "user", Content: "a\"b\\c\n\t\r\x01<é😀>\xff"}}},
			`{"messages":[{"role":"user","content":"a\"b\\c\n\t\r\u0001<é😀>` + "\uFFFD" + `"}],"model":"m\"1","stream":false}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := client.NewPayload(c.options)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(p.Append([]byte("kept"), &c.request)); got != "kept"+c.want {
				t.Errorf("\ngot  %s\nwant kept%s", got, c.want)
			}
		})
	}
}

func TestPayloadRefusesWhatJSONCannotSay(t *testing.T) {
	if _, err := client.NewPayload(client.PayloadOptions{Extra: map[string]any{"x": math.Inf(1)}}); err == nil {
		t.Error("no error for an infinite extra input")
	}
}

func TestEveryByteIsEscapedWhereverItStands(t *testing.T) {
	p, err := client.NewPayload(client.PayloadOptions{Type: client.Completions})
	if err != nil {
		t.Fatal(err)
	}
	for c := range 256 {
		for at := range 20 {
			text := []byte("twenty plain letters")
			text[at] = byte(c)
			var got, want struct{ Prompt string }
			body := p.Append(nil, &loadgen.Request{Messages: []loadgen.Message{{Content: string(text)}}})
			if err := json.Unmarshal(body, &got); err != nil {
				t.Fatalf("%v: %s", err, body)
			}
			// encoding/json replaces what is not UTF-8 in the same way.
			want.Prompt = string(text)
			quoted, _ := json.Marshal(want)
			json.Unmarshal(quoted, &want)
			if got != want {
				t.Fatalf("%q came back as %q", want.Prompt, got.Prompt)
			}
		}
	}
}

func FuzzPayloadIsJSON(f *testing.F) {
	f.Add("a\"\\\n\x00é\xffz")
	f.Add("a plain text that goes on for some words, and then é\"\x1f")
	f.Fuzz(func(t *testing.T, content string) {
		p, err := client.NewPayload(client.PayloadOptions{Model: content})
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Model    string
			Messages []loadgen.Message
		}
		body := p.Append(nil, &loadgen.Request{Messages: []loadgen.Message{{Role: "user", Content: content}}})
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		// encoding/json replaces what is not UTF-8 in the same way.
		var want string
		quoted, _ := json.Marshal(content)
		json.Unmarshal(quoted, &want)
		if got.Model != want || got.Messages[0].Content != want {
			t.Errorf("%q came back as %q", want, got.Messages[0].Content)
		}
	})
}
