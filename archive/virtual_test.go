package archive

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"

	"loadgen"
	"loadgen/analyze"
	"loadgen/internal/memnet"
	"loadgen/metrics"
	"loadgen/mockllm"
	"loadgen/runner"
	"loadgen/sweep"
)

// traced keeps what the findings of a batch rest on.
type traced struct {
	cells  []analyze.CellFacts
	tracer *analyze.Tracer
}

func (k *traced) StartRun(run *sweep.Run) (runner.RunRecorder, error) {
	k.tracer = newTracer(&run.Cell.Config)
	return k, nil
}

func (k *traced) Session(*loadgen.Session) error { return nil }

func (k *traced) Record(rec *loadgen.Record, _ *metrics.Measurement) error {
	k.tracer.Add(rec)
	return nil
}

func (k *traced) End(run *sweep.Run) error {
	k.cells = append(k.cells, analyze.FactsOf(run.Cell.Cell, run.Facts, run.Summary, k.tracer.Trace()))
	return nil
}

// findingsOf runs a batch against the simulated endpoint in virtual time and
// returns what is found in it: whatever else the machine does, the endpoint
// has no other cause of delay than those in its parameters.
func findingsOf(t *testing.T, text string) (found []analyze.Finding) {
	t.Helper()
	words := Vocabulary()
	synctest.Test(t, func(t *testing.T) {
		batch, err := sweep.Parse("virtual.yaml", []byte(text), sweep.Options{})
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
		found = analyze.Findings(kept.cells, analyze.Defaults())
	})
	return found
}
