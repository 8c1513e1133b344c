package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	"loadgen/metrics"
	"loadgen/mockllm"
)

const pacedTokens = 128

// paced compares what the clients report of paced streams with what the
// endpoint stamped. The endpoint is a fresh process each time, so that all of
// its stamps belong to one client.
func (b *bench) paced(clients []peer) (string, error) {
	var text strings.Builder
	fmt.Fprintf(&text, `### (c) Streams of %d tokens, TTFT 200 ms, ITL 20 ms

Reported less true, medians over the rounds. Per request: the 99th percentile of the single requests' errors.

| streams | client | TTFT p50 | TTFT p99 | per request | ITL p50 | ITL p99 | CPU per chunk | endpoint late, mean and most |
|---:|---|---:|---:|---:|---:|---:|---:|---:|
`, pacedTokens)
	for _, streams := range []int{64, 256, 512, 1024} {
		rows := make([][]deviation, len(clients))
		for round := range b.repeats {
			for i, p := range clients {
				if !p.streams || p.slow && round >= 2 || round > 0 && rows[i] == nil {
					continue
				}
				d, err := b.deviate(p, streams)
				if b.ctx.Err() != nil {
					return "", b.ctx.Err()
				}
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					continue
				}
				fmt.Fprintf(os.Stderr, "%d streams round %d %s: %+.3v\n", streams, round+1, p.name, d)
				rows[i] = append(rows[i], d)
			}
		}
		for i, p := range clients {
			if p.streams {
				text.WriteString(deviationRow(streams, p.name, rows[i]))
			}
		}
	}
	return text.String(), nil
}

// A deviation is by how much a client's report is off: milliseconds for the
// first token, percent for the gaps.
type deviation struct {
	first50, first99, each99, gap50, gap99 float64
	cpu                                    float64 // µs per chunk
	late, latest                           float64 // of the endpoint, ms
}

func (b *bench) deviate(p peer, streams int) (deviation, error) {
	dir, err := os.MkdirTemp(b.dir, "client-")
	if err != nil {
		return deviation{}, err
	}
	defer os.RemoveAll(dir)
	server, err := b.startMock("--timing=fixed", "--ttft=200ms", "--itl=20ms", "--precise", "--stamps")
	if err != nil {
		return deviation{}, err
	}
	defer server.stop()
	j := job{url: server.url, path: jsonPath, streaming: true, streams: streams, count: 2 * streams, tokens: pacedTokens, dir: dir}
	m, err := b.measureIn(p, j)
	if err != nil {
		return deviation{}, err
	}
	stamps, err := mockllm.FetchStamps(b.ctx, server.url)
	if err != nil {
		return deviation{}, err
	}
	reports, err := readRecords(dir)
	if err != nil {
		return deviation{}, err
	}
	d, err := deviationOf(reports, stamps)
	if err != nil {
		return d, fmt.Errorf("%s: %w", p.name, err)
	}
	d.cpu = float64(m.cpu.Microseconds()) / float64((m.count+streams)*pacedTokens)
	d.late, d.latest, err = server.lateness(b.ctx)
	return d, err
}

// A record is what the line of a request says, in the form that loadgen and
// AIPerf share.
type record struct {
	Metadata struct {
		ID    string `json:"x_request_id"`
		Phase string `json:"benchmark_phase"`
		Start int64  `json:"request_start_ns"`
		End   int64  `json:"request_end_ns"`
	}
	Metrics struct {
		First struct{ Value float64 } `json:"time_to_first_token"`
		Gap   struct{ Value float64 } `json:"inter_token_latency"`
	}
	Own struct {
		Due  float64 `json:"due_ns"`
		Sent float64 `json:"sent_ns"`
	} `json:"loadgen"`
}

func readRecords(dir string) ([]record, error) {
	path, err := find(dir, "profile_export.jsonl")
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []record
	for lines := json.NewDecoder(bufio.NewReader(f)); lines.More(); {
		var r record
		if err := lines.Decode(&r); err != nil {
			return nil, err
		}
		if r.Metadata.Phase == "profiling" {
			all = append(all, r)
		}
	}
	return all, nil
}

func deviationOf(reports []record, stamps []mockllm.Stamp) (deviation, error) {
	truth := map[string]mockllm.Stamp{}
	for _, s := range stamps {
		truth[s.RequestID] = s
	}
	var first, trueFirst, errors, gap, trueGap []float64
	for _, r := range reports {
		s, n := truth[r.Metadata.ID], len(truth[r.Metadata.ID].Chunks)
		if n < 2 {
			return deviation{}, fmt.Errorf("the endpoint has no stamps of request %q", r.Metadata.ID)
		}
		is := float64(s.Chunks[0]-s.Received) / 1e6
		first, trueFirst = append(first, r.Metrics.First.Value), append(trueFirst, is)
		errors = append(errors, math.Abs(r.Metrics.First.Value-is))
		gap = append(gap, r.Metrics.Gap.Value)
		trueGap = append(trueGap, float64(s.Chunks[n-1]-s.Chunks[0])/1e6/float64(n-1))
	}
	off := func(got, want []float64, p float64) float64 { return percentile(got, p) - percentile(want, p) }
	return deviation{
		first50: off(first, trueFirst, 50), first99: off(first, trueFirst, 99), each99: percentile(errors, 99),
		gap50: 100 * off(gap, trueGap, 50) / percentile(trueGap, 50),
		gap99: 100 * off(gap, trueGap, 99) / percentile(trueGap, 99),
	}, nil
}

func percentile(values []float64, p float64) float64 {
	return metrics.Percentile(metrics.Sorted(values), p)
}

func deviationRow(streams int, name string, ds []deviation) string {
	if len(ds) == 0 {
		return fmt.Sprintf("| %d | %s | failed | | | | | | |\n", streams, name)
	}
	mid := func(pick func(deviation) float64) float64 {
		var values []float64
		for _, d := range ds {
			values = append(values, pick(d))
		}
		return median(values)
	}
	ms := func(v float64) string { return strconv.FormatFloat(v, 'f', 3, 64) + " ms" }
	share := func(v float64) string { return strconv.FormatFloat(v, 'f', 3, 64) + " %" }
	return fmt.Sprintf("| %d | %s | %s | %s | %s | %s | %s | %.1f µs | %s, %s |\n", streams, name,
		ms(mid(func(d deviation) float64 { return d.first50 })),
		ms(mid(func(d deviation) float64 { return d.first99 })),
		ms(mid(func(d deviation) float64 { return d.each99 })),
		share(mid(func(d deviation) float64 { return d.gap50 })),
		share(mid(func(d deviation) float64 { return d.gap99 })),
		mid(func(d deviation) float64 { return d.cpu }),
		ms(mid(func(d deviation) float64 { return d.late })),
		ms(mid(func(d deviation) float64 { return d.latest })))
}
