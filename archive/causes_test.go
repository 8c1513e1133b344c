package archive

import (
	"context"
	"log/slog"
	"math"
	"strings"
	"testing"
	"testing/synctest"

	"loadgen"
	"loadgen/analyze"
	"loadgen/internal/memnet"
	"loadgen/metrics"
	"loadgen/mockllm"
	"loadgen/runner"
	"loadgen/sweep"
	"loadgen/synth"
	"loadgen/tokenizer"
)

// traced keeps what the findings of a batch rest on.
type traced struct {
	cells  []analyze.CellFacts
	tracer *analyze.Tracer
}

func (k *traced) StartCell(run *sweep.Run) (runner.CellRecorder, error) {
	k.tracer = newTracer(&run.Cell.Config)
	return k, nil
}

func (k *traced) Session(*loadgen.Session) error { return nil }

func (k *traced) Record(rec *loadgen.Record, _ *metrics.Measurement) error {
	k.tracer.Add(rec)
	return nil
}

func (k *traced) End(run *sweep.Run) error {
	k.cells = append(k.cells, factsOf(cellName(run.Cell.Dir), run.Facts, run.Summary, k.tracer.Trace()))
	return nil
}

// The whole stack against the simulated endpoint, in virtual time: whatever
// else the machine does, the endpoint has no other cause of delay than the one
// in its parameters.
func TestTheFirstFindingNamesTheCause(t *testing.T) {
	tok, err := tokenizer.Builtin("cl100k_base")
	if err != nil {
		t.Fatal(err)
	}
	words := &runner.Vocabulary{Tokenizer: tok, Name: "cl100k_base", Lexicon: synth.NewLexicon(tok)}
	const base = `batch_name: causes
output_base_dir: unused
base_config:
  model: m
  url: mock://
  streaming: true
  warmup_request_count: 0
`
	for _, tt := range []struct {
		name, parameters string
		want             string
		check            func(t *testing.T, f analyze.Finding)
	}{
		{
			name: "four run at once and up to sixteen ask: they queue",
			parameters: `  request_count: 120
  prompt_input_tokens_mean: 40
  prompt_output_tokens_mean: 20
sweeps: {concurrency: [1, 2, 4, 8, 16]}
mock: {max_num_seqs: 4, prefill_base: 2ms, prefill_per_token: 0s, decode_base: 10ms, decode_per_seq: 0s, prefix_cache: false}
`,
			want: "queue",
			check: func(t *testing.T, f analyze.Finding) {
				if !strings.Contains(f.Title, "about 4 are served at once") {
					t.Errorf("the title does not name the four: %s", f.Title)
				}
			},
		},
		{
			name: "a millisecond for each prompt token: slow prefill",
			parameters: `  request_count: 60
  concurrency: 1
  prompt_input_tokens_mean: 300
  prompt_input_tokens_stddev: 150
  prompt_output_tokens_mean: 4
mock: {prefill_base: 1ms, prefill_per_token: 1ms, decode_base: 2ms, decode_per_seq: 0s, prefix_cache: false}
`,
			want: "slow-prefill",
			check: func(t *testing.T, f analyze.Finding) {
				// The endpoint charges by its own tokens, of which it reports the number.
				if got := float64(f.Evidence[0].Value); math.Abs(got-0.001) > 1e-5 {
					t.Errorf("%v s for a token, the endpoint takes 0.001", got)
				}
			},
		},
		{
			name: "a system prompt that nobody caches: the shared prefix",
			parameters: `  request_count: 60
  concurrency: 1
  shared_system_prompt_length: 640
  prompt_input_tokens_mean: 80
  prompt_input_tokens_stddev: 30
  prompt_output_tokens_mean: 4
mock: {prefill_base: 1ms, prefill_per_token: 1ms, decode_base: 2ms, decode_per_seq: 0s, prefix_cache: false}
`,
			want: "shared-prefix",
		},
		{
			name: "a batch that slows down with its size is no queue",
			parameters: `  request_count: 120
  prompt_input_tokens_mean: 40
  prompt_output_tokens_mean: 40
sweeps: {concurrency: [1, 4, 16]}
mock: {max_num_seqs: 128, prefill_base: 2ms, prefill_per_token: 0s, decode_base: 5ms, decode_per_seq: 1ms, prefix_cache: false}
`,
			want: "slow-decode-under-load",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				batch, err := sweep.Parse("causes.yaml", []byte(base+tt.parameters), sweep.Options{})
				if err != nil {
					t.Fatal(err)
				}
				batch.Mock.Precise = false // time is virtual
				endpoint, err := mockllm.New(batch.Mock)
				if err != nil {
					t.Fatal(err)
				}
				network := memnet.Listen()
				ctx, stop := context.WithCancel(t.Context())
				served := make(chan error, 1)
				go func() { served <- endpoint.Serve(ctx, network) }()
				kept := &traced{}
				r := &runner.Runner{
					Batch: batch, Recorder: kept, Endpoint: "http://endpoint", Dial: network.DialContext,
					LookupEnv: func(string) (string, bool) { return "", false }, Version: "test",
					Vocabulary: func(context.Context, string, string) *runner.Vocabulary { return words },
					Stop:       t.Context(), Log: slog.New(slog.DiscardHandler),
				}
				if _, err := r.Run(t.Context()); err != nil {
					t.Fatal(err)
				}
				stop()
				if err := <-served; err != nil {
					t.Error(err)
				}
				found := analyze.Findings(kept.cells, analyze.Defaults())
				if found[0].ID != tt.want {
					t.Fatalf("the first finding is %s (%s), want %s", found[0].ID, found[0].Title, tt.want)
				}
				if tt.check != nil {
					tt.check(t, found[0])
				}
			})
		})
	}
}
