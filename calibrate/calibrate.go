// Package calibrate finds out what a machine's client can measure truthfully:
// it loads a simulated endpoint ever more, and holds what was measured against
// what the endpoint stamped.
//
// Where the findings are kept is the command's business, what they mean for a
// run metrics'.
package calibrate

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"loadgen"
	"loadgen/load"
	"loadgen/metrics"
	"loadgen/mockllm"
	"loadgen/runner"
	"loadgen/sweep"
)

// A figure of a run is honest while it is this near to what the endpoint
// stamped.
const (
	honestTTFT    = 0.05 // p99 of the error in TTFT or latency, over the true median; see honestFloor
	honestITL     = 0.01 // median of the error in ITL, over the true one
	honestITLTail = 0.05 // p99 of the same error
	honestRate    = 0.99 // of the asked rate that must be achieved
)

// honestFloor is an error in a latency that is never held against a step: the
// two kernels' own, in the order of what a loaded loopback costs.
const honestFloor = 2 * time.Millisecond

// The first steps; each is twice the last, and half way back where one is not
// honest.
const (
	firstStreams = 64
	firstRate    = 500
)

// A Calibrator raises the load on a simulated endpoint step by step.
type Calibrator struct {
	Step       time.Duration // how long each step is measured
	MaxStreams int
	MaxRate    int
	// Endpoint starts a simulated endpoint for a batch, and returns its URL and
	// what ends it.
	Endpoint func(context.Context, *sweep.Batch) (url string, stop func(), err error)
	// Stop, when done, ends the calibration.
	Stop       context.Context
	Version    string
	Vocabulary func(ctx context.Context, tokenizer, model string) *runner.Vocabulary
	Processors func(spare bool)
	Log        *slog.Logger
}

// Steps makes all steps, those of streams first. Once Stop is done the error is
// its own.
func (k *Calibrator) Steps(ctx context.Context) ([]metrics.Step, error) {
	streams, err := k.streams(ctx)
	if err != nil {
		return streams, err
	}
	requests, err := k.requests(ctx)
	return append(streams, requests...), err
}

// streams raises the number of paced streams until the figures are no longer
// honest.
func (k *Calibrator) streams(ctx context.Context) ([]metrics.Step, error) {
	return climb(firstStreams, k.MaxStreams, func(n int) (metrics.Step, error) {
		step, err := k.measure(ctx, fmt.Sprintf(`
  streaming: true
  concurrency: %d
  start: together
  warmup_handover: drain
  warmup_request_count: %d
  prompt_output_tokens_mean: 64
mock: {timing: fixed, ttft: 200ms, itl: 20ms, stamps: true, stamps_kept: 1000000}`, n, n))
		step.Name, step.Streams = fmt.Sprintf("%d streams", n), n
		return step, cmp.Or(err, k.Stop.Err())
	})
}

// requests raises the rate of short requests until it is no longer achieved,
// or the figures are no longer honest.
func (k *Calibrator) requests(ctx context.Context) ([]metrics.Step, error) {
	return climb(firstRate, k.MaxRate, func(rate int) (metrics.Step, error) {
		step, err := k.measure(ctx, fmt.Sprintf(`
  request_rate: %d
  warmup_request_count: 64
  prompt_output_tokens_mean: 1
mock: {timing: fixed, stamps: true, stamps_kept: 1000000}`, rate))
		step.Name = fmt.Sprintf("%d requests/s", rate)
		if step.Honest && step.Requests < honestRate*float64(rate) {
			step.Honest = false
			step.Why = fmt.Sprintf("only %.0f requests/s were achieved", step.Requests)
		}
		return step, cmp.Or(err, k.Stop.Err())
	})
}

// climb doubles a load until a step is not honest or the most is reached, and
// goes half way back from the one that was not.
func climb(first, most int, measure func(load int) (metrics.Step, error)) ([]metrics.Step, error) {
	var steps []metrics.Step
	honest := 0
	for load := first; load <= most; load *= 2 {
		step, err := measure(load)
		if err != nil {
			return steps, err
		}
		steps = append(steps, step)
		if step.Honest {
			honest = load
			continue
		}
		step, err = measure((honest + load) / 2)
		return append(steps, step), err
	}
	return steps, nil
}

// measure runs one step and compares it with the endpoint's stamps.
func (k *Calibrator) measure(ctx context.Context, parameters string) (metrics.Step, error) {
	base, mock, _ := strings.Cut(parameters, "\nmock:")
	text := fmt.Sprintf(`batch_name: calibration
output_base_dir: unused
base_config:
  model: mock-model
  url: mock://
  prompt_input_tokens_mean: 16
  benchmark_duration: %g%s
mock:%s
`, k.Step.Seconds(), base, mock)
	batch, err := sweep.Parse("calibration", []byte(text), sweep.Options{LookupEnv: os.LookupEnv})
	if err != nil {
		return metrics.Step{}, fmt.Errorf("a bug in the calibration: %w", err)
	}
	url, stopMock, err := k.Endpoint(ctx, batch)
	if err != nil {
		return metrics.Step{}, err
	}
	defer stopMock()
	seen := &observed{requests: map[string]observation{}}
	r := &runner.Runner{
		Batch: batch, Recorder: seen, Endpoint: url, LookupEnv: os.LookupEnv, Version: k.Version,
		Vocabulary: k.Vocabulary, Stop: k.Stop, Wait: load.PreciseWait, Processors: k.Processors, Log: k.Log,
	}
	runs, err := r.Run(ctx)
	if err != nil || k.Stop.Err() != nil {
		return metrics.Step{}, err
	}
	stamps, err := mockllm.FetchStamps(ctx, url)
	if err != nil {
		return metrics.Step{}, err
	}
	return compare(runs[0], seen.requests, stamps), nil
}

// An observation is what the client made of a request.
type observation struct{ first, gap time.Duration }

// observed keeps what the client measured, by request ID.
type observed struct{ requests map[string]observation }

func (o *observed) StartRun(*sweep.Run) (runner.RunRecorder, error) { return o, nil }
func (o *observed) Session(*loadgen.Session) error                  { return nil }
func (o *observed) End(*sweep.Run) error                            { return nil }

func (o *observed) Record(rec *loadgen.Record, _ *metrics.Measurement) error {
	if n := len(rec.Chunks); rec.Phase == loadgen.Profiling && rec.OK() && n > 0 {
		seen := observation{first: rec.Chunks[0].At}
		if n > 1 {
			seen.gap = (rec.Chunks[n-1].At - rec.Chunks[0].At) / time.Duration(n-1)
		}
		o.requests[rec.Request.ID] = seen
	}
	return nil
}

// compare holds what the client measured against what the endpoint stamped.
func compare(run *sweep.Run, seen map[string]observation, stamps []mockllm.Stamp) metrics.Step {
	var first, firstError, gapError []float64 // ms, ms, share
	chunks := 0
	for _, s := range stamps {
		mine, ok := seen[s.RequestID]
		n := len(s.Chunks)
		if !ok || n == 0 {
			continue
		}
		chunks += n
		truth := time.Duration(s.Chunks[0] - s.Received)
		first = append(first, milliseconds(truth))
		firstError = append(firstError, milliseconds((mine.first - truth).Abs()))
		if n > 1 {
			gap := time.Duration(s.Chunks[n-1]-s.Chunks[0]) / time.Duration(n-1)
			gapError = append(gapError, max(float64(mine.gap-gap), float64(gap-mine.gap))/float64(gap))
		}
	}
	for _, values := range [][]float64{first, firstError, gapError} {
		slices.Sort(values)
	}
	step := metrics.Step{Honest: true}
	if run.Err != nil || len(first) == 0 {
		step.Honest, step.Why = false, "the step failed"
		if run.Err != nil {
			step.Why = run.Err.Error()
		}
		return step
	}
	elapsed := run.Outcome.StoppedAt.Seconds()
	step.Requests = float64(run.Outcome.Issued) / elapsed
	step.Chunks = float64(chunks) / run.Outcome.Elapsed.Seconds()
	step.FirstP50, step.FirstP99 = metrics.Percentile(firstError, 50), metrics.Percentile(firstError, 99)
	if len(gapError) > 0 {
		gap := metrics.Percentile(gapError, 50)
		step.Gap = &gap
	}
	limit := max(honestTTFT*metrics.Percentile(first, 50), milliseconds(honestFloor))
	verdict := run.Summary.Validity
	switch counts := run.Summary.Counts; {
	case counts.Failed > 0:
		step.Honest, step.Why = false, fmt.Sprintf("%d requests failed", counts.Failed)
	case step.FirstP99 > limit:
		step.Honest, step.Why = false, fmt.Sprintf("first output is off by more than %.3g ms in 1 of 100", limit)
	case step.Gap != nil && *step.Gap > honestITL:
		step.Honest, step.Why = false, fmt.Sprintf("the gaps are off by more than %g %%", 100*honestITL)
	case step.Gap != nil && metrics.Percentile(gapError, 99) > honestITLTail:
		step.Honest, step.Why = false, fmt.Sprintf("the gaps are off by more than %g %% in 1 of 100", 100*honestITLTail)
	case verdict.Verdict == metrics.Invalid:
		step.Honest, step.Why = false, "INVALID: "+verdict.Reasons[0].Text
	}
	return step
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
