package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// bars holds loadgen against what docs/performance.md promises of its start,
// its pace, its memory and its endurance.
func (b *bench) bars() (string, error) {
	var text strings.Builder
	text.WriteString("| what | promised | measured |\n|---|---|---|\n")
	for _, bar := range []struct {
		what, promise string
		measure       func(dir string) (string, error)
	}{
		{"start to first request: `mock://`, prompts of 500 tokens, tokenizer load included", "≤ 300 ms", b.start},
		{"a cell's own overhead, everything but its load", "≤ 50 ms", b.overhead},
		{"5,000 requests/s constant, short replies", "achieved = asked, p99 lag ≤ 200 µs", b.pace},
		{"1,000 streams of 20 tokens/s, 30 s", "no failure, achieved = asked, ≤ 150 MiB and not growing", b.steady},
		{"10,000 idle streams at once", "no failure, ≤ 400 MiB", b.idle},
		{"1,000,000 short requests", "no failure, < 300 MiB", b.million},
	} {
		dir, err := os.MkdirTemp(b.dir, "bar-")
		if err != nil {
			return "", err
		}
		measured, err := bar.measure(dir)
		if b.ctx.Err() != nil {
			return "", b.ctx.Err()
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			measured = "failed"
		}
		fmt.Fprintf(os.Stderr, "%s: %s\n", bar.what, measured)
		fmt.Fprintf(&text, "| %s | %s | %s |\n", bar.what, bar.promise, measured)
		os.RemoveAll(dir)
	}
	return text.String(), nil
}

// An export is what a run says of itself.
type export struct {
	Rate     struct{ Avg float64 } `json:"request_throughput"`
	Tokens   struct{ Avg float64 } `json:"output_token_throughput"`
	Count    struct{ Avg float64 } `json:"request_count"`
	Failures struct{ Avg float64 } `json:"error_request_count"`
}

// runBatch runs a batch file of one cell and returns what it says and costs.
func (b *bench) runBatch(dir, url, lines string) (export, cost, error) {
	var e export
	_, c, err := execute(b.ctx, dir, append([]string{b.loadgen}, runArgs(batch(dir, url, lines))...)...)
	if err == nil {
		err = readJSON(dir, "profile_export_aiperf.json", &e)
	}
	return e, c, err
}

// noAnalyses leaves out what follows a run.
const noAnalyses = "profiler: {enable: false}\n"

func (b *bench) start(string) (string, error) {
	var took []float64
	for range b.repeats {
		dir, err := os.MkdirTemp(b.dir, "start-")
		if err != nil {
			return "", err
		}
		_, c, err := b.runBatch(dir, "mock://", `  warmup_request_count: 0
  request_count: 1
  concurrency: 1
  prompt_input_tokens_mean: 500
  prompt_output_tokens_mean: 1
`+noAnalyses)
		if err != nil {
			return "", err
		}
		records, err := readRecords(dir)
		if err != nil {
			return "", err
		}
		took = append(took, float64(records[0].Metadata.Start-c.began.UnixNano())/1e6)
	}
	return fmt.Sprintf("%.0f ms (%s)", median(took), spread(took, "%.0f")), nil
}

// overhead compares a batch of one cell with one of eleven, each less the time
// in which it had requests under way.
func (b *bench) overhead(string) (string, error) {
	idle := func(n int, more string) (float64, error) {
		dir, err := os.MkdirTemp(b.dir, "cells-")
		if err != nil {
			return 0, err
		}
		var rates []string
		for i := range n {
			rates = append(rates, fmt.Sprint(100+i))
		}
		path := batch(dir, "mock://", fmt.Sprintf(`  warmup_request_count: 0
  benchmark_duration: 0.5
  request_rate: 100
  prompt_input_tokens_mean: 500
  prompt_output_tokens_mean: 1
sweeps: {request_rate: [%s]}
mock: {timing: fixed}
`, strings.Join(rates, ", "))+more)
		_, c, err := execute(b.ctx, dir, append([]string{b.loadgen}, runArgs(path)...)...)
		if err != nil {
			return 0, err
		}
		cells, err := filepath.Glob(filepath.Join(dir, "bench/*/*/profile_export.jsonl"))
		if err != nil || len(cells) != n {
			return 0, fmt.Errorf("%d cells left their records, want %d", len(cells), n)
		}
		left := c.wall
		for _, cell := range cells {
			records, err := readRecords(filepath.Dir(cell))
			if err != nil {
				return 0, err
			}
			begin, end := records[0].Metadata.Start, int64(0)
			for _, r := range records {
				begin, end = min(begin, r.Metadata.Start), max(end, r.Metadata.End)
			}
			left -= time.Duration(end - begin)
		}
		return float64(left.Microseconds()) / 1e3, nil
	}
	var measured []string
	for _, more := range []string{noAnalyses, ""} {
		one, err := idle(1, more)
		if err != nil {
			return "", err
		}
		eleven, err := idle(11, more)
		if err != nil {
			return "", err
		}
		measured = append(measured, fmt.Sprintf("%.0f ms", (eleven-one)/10))
	}
	return strings.Join(measured, "; with its analyses "), nil
}

func (b *bench) pace(dir string) (string, error) {
	server, err := b.startMock("--timing=fixed", "--precise")
	if err != nil {
		return "", err
	}
	defer server.stop()
	e, _, err := b.runBatch(dir, server.url, `  warmup_request_count: 64
  benchmark_duration: 10
  request_rate: 5000
  prompt_input_tokens_mean: 16
  prompt_output_tokens_mean: 1
`+noAnalyses)
	if err != nil {
		return "", err
	}
	records, err := readRecords(dir)
	if err != nil {
		return "", err
	}
	var lag []float64
	first, last := records[0].Own.Sent, 0.0
	for _, r := range records {
		lag = append(lag, (r.Own.Sent-r.Own.Due)/1e3)
		first, last = min(first, r.Own.Sent), max(last, r.Own.Sent)
	}
	return fmt.Sprintf("%.1f requests/s, %.0f failed, lag p50 %.0f µs, p99 %.0f µs",
		float64(len(records)-1)/(last-first)*1e9, e.Failures.Avg, percentile(lag, 50), percentile(lag, 99)), nil
}

func (b *bench) steady(dir string) (string, error) {
	server, err := b.startMock("--timing=fixed", "--ttft=50ms", "--itl=50ms", "--precise")
	if err != nil {
		return "", err
	}
	defer server.stop()
	const streams, tokens, rounds = 1000, 100, 6 // of five seconds
	e, c, err := b.runBatch(dir, server.url, fmt.Sprintf(`  streaming: true
  concurrency: %d
  start: together
  warmup_request_count: 0
  request_count: %d
  prompt_input_tokens_mean: 16
  prompt_output_tokens_mean: %d
`, streams, rounds*streams, tokens)+noAnalyses)
	if err != nil {
		return "", err
	}
	n := len(c.memory)
	return fmt.Sprintf("%.0f failed, %.0f of %d tokens/s, %.0f MiB after a third, %.0f MiB after two thirds, %.0f MiB at most",
		e.Failures.Avg, e.Tokens.Avg, streams*20, c.memory[n/3], c.memory[2*n/3], c.peak()), nil
}

func (b *bench) idle(dir string) (string, error) {
	server, err := b.startMock("--timing=fixed", "--ttft=20s")
	if err != nil {
		return "", err
	}
	defer server.stop()
	e, c, err := b.runBatch(dir, server.url, `  streaming: true
  concurrency: 10000
  start: together
  warmup_request_count: 0
  request_count: 10000
  prompt_input_tokens_mean: 16
  prompt_output_tokens_mean: 2
`+noAnalyses)
	return fmt.Sprintf("%.0f succeeded, %.0f failed, %.0f MiB at most", e.Count.Avg, e.Failures.Avg, c.peak()), err
}

func (b *bench) million(dir string) (string, error) {
	server, err := startNginx(b.ctx, dir)
	if err != nil {
		return "", err
	}
	defer server.stop()
	e, c, err := b.runBatch(dir, server.url, `  concurrency: 32
  warmup_request_count: 0
  request_count: 1000000
  prompt_input_tokens_mean: 16
  prompt_output_tokens_mean: 1
`+noAnalyses)
	return fmt.Sprintf("%.0f succeeded, %.0f failed, %.0f MiB at most", e.Count.Avg, e.Failures.Avg, c.peak()), err
}
