package fleet

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"loadgen"
)

var moment = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// fill gives every field of a value something that is not its zero value, so
// that a field that is not carried cannot go unseen.
func fill(v reflect.Value, rng *rand.Rand) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() && v.Type().Field(i).Type != reflect.TypeFor[time.Time]() {
				fill(v.Field(i), rng)
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), rng)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 3, 3))
		for i := range 3 {
			fill(v.Index(i), rng)
		}
	case reflect.String:
		v.SetString(fmt.Sprintf("text %d", rng.IntN(1000)))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8:
		v.SetUint(1)
	default:
		v.SetInt(1 + rng.Int64N(1<<40))
	}
}

// kept is what of a record travels.
func kept(r loadgen.Record) loadgen.Record {
	r.Share, r.By = loadgen.Share{}, 0
	r.Text, r.Thought, r.Tools = nil, nil, nil
	if r.Request != nil {
		q := *r.Request
		q.Body = nil
		if r.Phase != loadgen.Warmup {
			q.Messages = nil
		}
		for i := range q.Messages {
			q.Messages[i].Content = ""
		}
		r.Request = &q
	}
	return r
}

func TestRecordsComeHomeWhole(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	plain := loadgen.Record{Usage: loadgen.NoUsage, OutputTokens: -1, ReasoningTokens: -1, Sent: -5 * time.Second, Start: moment.Add(-time.Second)}
	records := map[string]loadgen.Record{"of nothing": plain}
	for name, phase := range map[string]loadgen.Phase{"of everything": loadgen.Profiling, "of a warm-up": loadgen.Warmup} {
		var r loadgen.Record
		fill(reflect.ValueOf(&r).Elem(), rng)
		r.Phase = phase
		r.Start = moment.Add(1234567)
		r.Request.ID = "01234567-89ab-4cde-8f01-23456789abcd"
		r.Request.Correlation = "not-a-uuid"
		records[name] = r
	}
	for name, r := range records {
		t.Run(name, func(t *testing.T) {
			b := appendRecord(nil, &r, moment)
			record, rest := next(b)
			if record == nil || len(rest) > 0 {
				t.Fatalf("of %d bytes %d are left", len(b), len(rest))
			}
			var back loadgen.Record
			if err := readRecord(record, &back, moment); err != nil {
				t.Fatal(err)
			}
			opt := cmp.Comparer(func(a, b loadgen.Share) bool { return true })
			equal := cmp.FilterValues(func(a, b []byte) bool { return len(a) == 0 && len(b) == 0 }, cmp.Comparer(func(a, b []byte) bool { return true }))
			if diff := cmp.Diff(kept(r), back, opt, equal, cmp.FilterValues(func(a, b []loadgen.Chunk) bool { return len(a)+len(b) == 0 }, cmp.Ignore())); diff != "" {
				t.Errorf("(-sent +came home):\n%s", diff)
			}
		})
	}
}

// What was cut off, or is no record, is an error and no panic.
func TestBrokenRecordsAreRefused(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	var r loadgen.Record
	fill(reflect.ValueOf(&r).Elem(), rng)
	b := appendRecord(nil, &r, moment)
	for n := range len(b) {
		if record, _ := next(b[:n]); record != nil {
			t.Fatalf("%d of %d bytes pass for a record", n, len(b))
		}
		if n >= frame {
			if err := readRecord(b[frame:n], new(loadgen.Record), moment); err == nil {
				t.Fatalf("a record of %d of %d bytes was read", n, len(b))
			}
		}
	}
	for range 20000 {
		junk := append([]byte(nil), b[frame:]...)
		for range 1 + rng.IntN(4) {
			junk[rng.IntN(len(junk))] = byte(rng.Uint32())
		}
		_ = readRecord(junk, new(loadgen.Record), moment)
	}
}

// FuzzRecord reads what a worker might send: it is refused, or it is a record that
// comes home as itself.
func FuzzRecord(f *testing.F) {
	var r loadgen.Record
	fill(reflect.ValueOf(&r).Elem(), rand.New(rand.NewPCG(3, 3)))
	for _, phase := range []loadgen.Phase{loadgen.Warmup, loadgen.Profiling} {
		r.Phase = phase
		f.Add(appendRecord(nil, &r, moment)[frame:])
	}
	f.Add(appendRecord(nil, &loadgen.Record{}, moment)[frame:])
	f.Fuzz(func(t *testing.T, data []byte) {
		var once, twice loadgen.Record
		if readRecord(data, &once, moment) != nil {
			return
		}
		sent := appendRecord(nil, &once, moment)
		if err := readRecord(sent[frame:], &twice, moment); err != nil {
			t.Fatal(err)
		}
		if again := appendRecord(nil, &twice, moment); !bytes.Equal(again, sent) {
			t.Errorf("sent %x, then %x", sent, again)
		}
	})
}

func BenchmarkRecord(b *testing.B) {
	for _, chunks := range []int{1, 100} {
		r := loadgen.Record{
			Request: &loadgen.Request{ID: "01234567-89ab-4cde-8f01-23456789abcd", Correlation: "01234567-89ab-4cde-8f01-23456789abcd", Session: "session_000042", InputTokens: 550, MaxTokens: 128},
			Due:     time.Second, Sent: time.Second, Ended: 2 * time.Second, Took: time.Second, Head: 1e6, Status: 200, Streamed: true, Model: "model", FinishReason: "stop",
			Usage: loadgen.Usage{PromptTokens: 560, CompletionTokens: 128, ReasoningTokens: -1, CachedTokens: -1}, Reads: chunks, BytesIn: 20000, BytesOut: 3000,
		}
		for i := range chunks {
			r.Chunks = append(r.Chunks, loadgen.Chunk{At: time.Duration(i) * 10 * time.Millisecond})
		}
		text := appendRecord(nil, &r, moment)
		b.Run(fmt.Sprintf("append/%d", chunks), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				text = appendRecord(text[:0], &r, moment)
			}
		})
		b.Run(fmt.Sprintf("read/%d", chunks), func(b *testing.B) {
			b.ReportAllocs()
			var back loadgen.Record
			for b.Loop() {
				if err := readRecord(text[frame:], &back, moment); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
