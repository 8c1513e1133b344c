package synth_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"loadgen/client"
	"loadgen/results"
	"loadgen/synth"
)

func BenchmarkPrompt(b *testing.B) {
	tok := builtin(b, "cl100k_base")
	for _, length := range []int{16, 1000, 100_000} {
		b.Run(fmt.Sprint(length), func(b *testing.B) {
			s := open(b, synth.Spec{Input: synth.Normal{Mean: float64(length)}}, tok)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				s.At(i)
				i++
			}
		})
	}
}

// BenchmarkSession is all that a run's feed does for a session of one turn:
// making it, its body, and its place in inputs.json.
func BenchmarkSession(b *testing.B) {
	const fileful = 1 << 17 // sessions, so that the file does not fill the disk
	tok := builtin(b, "cl100k_base")
	for _, length := range []int{16, 128, 1000} {
		b.Run(fmt.Sprint(length), func(b *testing.B) {
			s := open(b, synth.Spec{Seed: 1, Input: synth.Normal{Mean: float64(length)}, Output: synth.Normal{Mean: 16}}, tok)
			payload, err := client.NewPayload(client.PayloadOptions{Model: "model", Streaming: true})
			if err != nil {
				b.Fatal(err)
			}
			run := beginRun(b)
			var inputs *results.Inputs
			var body []byte
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				if n%fileful == 0 {
					inputs = renewInputs(b, run, inputs)
				}
				session, err := s.Next()
				if err != nil {
					b.Fatal(err)
				}
				for _, req := range session.Turns {
					body = payload.Append(body[:0], req)
					req.Body = bytes.Clone(body)
				}
				if err := inputs.Add(session); err != nil {
					b.Fatal(err)
				}
			}
			renewInputs(b, run, inputs)
		})
	}
}

func beginRun(b *testing.B) *results.Run {
	batch, err := results.CreateBatch(b.TempDir(), "bench", time.Unix(0, 0))
	if err != nil {
		b.Fatal(err)
	}
	run, err := batch.Begin(results.Metadata{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { run.Close() })
	return run
}

// renewInputs begins inputs.json once more, in place of the one before.
func renewInputs(b *testing.B, run *results.Run, old *results.Inputs) *results.Inputs {
	if old != nil {
		if err := old.Close(0); err != nil {
			b.Fatal(err)
		}
		if err := os.Remove(filepath.Join(run.Dir, "inputs.json")); err != nil {
			b.Fatal(err)
		}
	}
	inputs, err := run.Inputs()
	if err != nil {
		b.Fatal(err)
	}
	return inputs
}

func BenchmarkNewLexicon(b *testing.B) {
	for _, encoding := range []string{"cl100k_base", "o200k_base"} {
		tok := builtin(b, encoding)
		b.Run(encoding, func(b *testing.B) {
			for b.Loop() {
				synth.NewLexicon(tok)
			}
		})
	}
}
