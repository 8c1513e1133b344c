package client_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	gosse "github.com/tmaxmax/go-sse"

	"loadgen/client"
)

// FuzzParse holds the scanner against encoding/json: where it does not pass,
// it reads the same.
func FuzzParse(f *testing.F) {
	for _, c := range readCases(f) {
		for line := range bytes.Lines(c.wire) {
			if _, data, ok := bytes.Cut(line, []byte("data:")); ok {
				f.Add(bytes.TrimSpace(data))
			}
		}
		if _, body, ok := bytes.Cut(c.wire, []byte("\r\n\r\n{")); ok {
			f.Add(append([]byte("{"), body...))
		}
	}
	f.Add([]byte(`{"a":[1,-0.5e+3,01,true,null,{"b":{}}],"choices":[{"text":"\u00zz"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		usual, fast, slow := client.ParseBoth(data)
		if usual && fast != slow {
			t.Errorf("scanner −, encoding/json +\n%s", cmp.Diff(fast, slow))
		}
	})
}

// FuzzParseAfter holds the comparison with the event before against reading
// afresh, where both events are JSON. The model is told by the first alone.
func FuzzParseAfter(f *testing.F) {
	const event = `{"model":"m","choices":[{"delta":{"content":"a"}}]}`
	for _, next := range []string{
		event, `{"model":"m","choices":[{"delta":{"content":"b"}}]}`, `{"model":"m","choices":[{"delta":{"content":""}}]}`,
		`{"model":"m","choices":[{"delta":{"content":"a\nb"}}]}`, `{"model":"m","choices":[{"delta":{"content":"a","content":"b"}}]}`,
		`{"model":"m","choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]}`,
	} {
		f.Add([]byte(event), []byte(next))
		f.Add([]byte(strings.ReplaceAll(event, "content", "reasoning")), []byte(strings.ReplaceAll(next, "content", "reasoning")))
	}
	f.Fuzz(func(t *testing.T, before, data []byte) {
		got := client.ParseAfter(before, data)
		_, _, want := client.ParseBoth(data)
		if got.Model == "" {
			want.Model = ""
		}
		if got != want {
			t.Errorf("alone −, after %q +\n%s", before, cmp.Diff(want, got))
		}
	})
}

// FuzzEvents holds the event stream reader against go-sse, and against itself
// with the stream cut in two.
func FuzzEvents(f *testing.F) {
	for _, c := range readCases(f) {
		_, body, _ := bytes.Cut(c.wire, []byte("\r\n\r\n"))
		f.Add(body, uint16(len(body)/2))
	}
	f.Add([]byte("\xef\xbb\xbfdata: a\r\rdata: b\r\n\r\nevent: x\ndata:c\ndata\n\nid:1\n\ndata: d"), uint16(9))
	f.Fuzz(func(t *testing.T, stream []byte, cut uint16) {
		events := client.SplitEvents(stream)
		i := min(int(cut), len(stream))
		if diff := cmp.Diff(events, client.SplitEvents(stream[:i], stream[i:])); diff != "" {
			t.Errorf("whole −, cut at %d +\n%s", i, diff)
		}
		// go-sse dispatches an event without data and gives up an event that
		// the stream's end leaves open; here it is the other way round.
		var want []client.Event
		// It also takes off a mark of byte order behind empty lines, where a
		// mark is part of a field's name.
		const mark = "\xef\xbb\xbf"
		closed := strings.TrimPrefix(string(stream), mark) + "\n\n"
		if strings.HasPrefix(strings.TrimLeft(closed, "\r\n"), mark) {
			return
		}
		for e, err := range gosse.Read(strings.NewReader(closed), &gosse.ReadConfig{MaxEventSize: 1 << 20}) {
			if err != nil {
				return
			}
			if e.Data != "" {
				want = append(want, client.Event{Type: e.Type, Data: e.Data})
			}
		}
		if diff := cmp.Diff(want, events); diff != "" {
			t.Errorf("go-sse −, loadgen +\n%s", diff)
		}
	})
}

// severalLines is a stream whose first event has its data on two lines, and its
// second one looks like the first joined, but for a line that is of no field.
const severalLines = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]\ndata: }\n\n" +
	"data: {\"choices\":[{\"delta\":{\"content\":\"b\"}}]\n}\n\n" +
	"data: [DONE]\n\n"

// TestDataOnSeveralLines reads the second event for what it is, half an object,
// however the stream is cut.
func TestDataOnSeveralLines(t *testing.T) {
	for how, pieces := range map[string][][]byte{
		"whole":        {[]byte(severalLines)},
		"byte by byte": slices.Collect(slices.Chunk([]byte(severalLines), 1)),
	} {
		rec := client.ReadStream(pieces...)
		if rec.Failure == nil || !strings.Contains(rec.Failure.Message, "not a JSON object") || string(rec.Text) != "a" {
			t.Errorf("%s: text %q, failure %+v; want the first event and then no JSON object", how, rec.Text, rec.Failure)
		}
	}
}

// FuzzPieces reads a stream in one piece and in two that meet at the end of a
// line, where most events are only compared with the one before, and byte by
// byte, where every one is read afresh.
func FuzzPieces(f *testing.F) {
	const alike = `{"model":"m","choices":[{"delta":{"content":"a"},"finish_reason":null}]}`
	framed := func(before, after string, events ...string) []byte {
		var b []byte
		for _, e := range events {
			b = append(b, before+e+after...)
		}
		return append(b, before+"[DONE]"+after...)
	}
	events := []string{
		alike, strings.Replace(alike, `"a"`, `" bc"`, 1), alike, strings.Replace(alike, `"a"`, `""`, 1), alike,
		strings.Replace(alike, `"a"`, `"\n\u00e9"`, 1), alike, strings.Replace(alike, `"a"`, `"é"`, 1), strings.Replace(alike, `"a"`, "\"\t\"", 1),
	}
	f.Add(framed("data: ", "\n\n", events[:8]...))
	f.Add(framed("data: ", "\n\n", events...))
	f.Add(framed("data:", "\r\n\r\n", events[:8]...))
	f.Add(framed("data: ", "\n\n", alike, strings.Replace(alike, "null", `"stop"`, 1), alike, alike+"\ndata: ", alike))
	f.Add(framed("data: ", "\n\n", alike, alike, strings.ReplaceAll(alike, "content", "reasoning"), alike, `{"error":{"message":"x"}}`, alike))
	f.Add(append(framed("event: m\ndata: ", "\n\n", alike, alike), framed("data: ", "\n\n", alike, alike)...))
	f.Add(append(framed("data: ", "\n\n", alike, alike)[:2*len("data: \n\n"+alike)], framed("event: error\ndata: ", "\n\n", alike)...))
	f.Add([]byte(severalLines))
	for _, c := range readCases(f) {
		if _, body, ok := bytes.Cut(c.wire, []byte("\r\n\r\n")); ok {
			f.Add(body)
		}
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		want := saidBy(client.ReadStream(slices.Collect(slices.Chunk(stream, 1))...), "")
		lines, cut := 0, 0
		for line := range bytes.Lines(stream) {
			if cut += len(line); lines == 64 {
				break
			}
			lines++
			if diff := cmp.Diff(want, saidBy(client.ReadStream(stream[:cut], stream[cut:]), "")); diff != "" {
				t.Errorf("byte by byte −, cut at %d of %d +\n%s", cut, len(stream), diff)
			}
		}
	})
}
