package trace

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"time"

	"loadgen"
)

// A Result is what another tool's summary says of one run, under the names of
// loadgen's metrics: METRIC.STATISTIC, in milliseconds, tokens and per second.
type Result struct {
	Tool           string
	Model          string
	Values         []loadgen.Value // what the tool varies from run to run
	Started, Ended time.Time       // zero where unknown
	Figures        map[string]float64
	// OK and Failed count requests; both 0 where the file does not say.
	OK, Failed float64
}

// maxResult bounds the memory that a summary may take.
const maxResult = 256 << 20

// ErrNoResult is a file that is no summary of a known kind.
var ErrNoResult = errors.New("no result of a known kind: expected the JSON of vLLM's bench serve or of guidellm")

// ReadResults reads the summaries of vLLM's bench serve (a run a file) or of
// guidellm (several). The error is [ErrNoResult] for a file of another kind.
func ReadResults(path string) ([]Result, error) {
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if info.Size() > maxResult {
		return nil, fmt.Errorf("%s is larger than the %d MiB a summary may have", path, maxResult>>20)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(data, &keys); err != nil {
		return nil, fmt.Errorf("%s: %w (%w)", path, ErrNoResult, err)
	}
	switch {
	case keys["benchmarks"] != nil:
		return guidellmResults(keys["benchmarks"])
	case keys["mean_ttft_ms"] != nil && keys["completed"] != nil:
		return []Result{vllmResult(keys)}, nil
	}
	return nil, fmt.Errorf("%s: %w", path, ErrNoResult)
}

// vllmResult reads a summary whose keys are STATISTIC_METRIC_ms. vLLM's TPOT
// is our inter-token latency; its ITL pools all gaps between chunks.
func vllmResult(keys map[string]json.RawMessage) Result {
	text := func(key string) (v string) {
		_ = json.Unmarshal(keys[key], &v)
		return v
	}
	number := func(key string) float64 {
		v := math.NaN()
		_ = json.Unmarshal(keys[key], &v)
		return v
	}
	r := Result{Tool: "vllm bench serve", Model: text("model_id"), Figures: map[string]float64{}}
	for _, m := range []struct{ theirs, ours string }{
		{"ttft", "time_to_first_token"},
		{"tpot", "inter_token_latency"},
		{"itl", "inter_chunk_latency"},
		{"e2el", "request_latency"},
	} {
		for key := range keys {
			if stat, found := strings.CutSuffix(key, "_"+m.theirs+"_ms"); found {
				r.set(m.ours, map[string]string{"mean": "avg", "median": "p50"}[stat], stat, number(key))
			}
		}
	}
	r.OK, r.Failed = number("completed"), number("failed")
	if math.IsNaN(r.Failed) {
		r.Failed = number("num_prompts") - r.OK
	}
	r.set("request_throughput", "avg", "", number("request_throughput"))
	r.set("output_token_throughput", "avg", "", number("output_throughput"))
	r.set("total_token_throughput", "avg", "", number("total_token_throughput"))
	r.set("input_sequence_length", "avg", "", number("total_input_tokens")/r.OK)
	r.set("output_sequence_length", "avg", "", number("total_output_tokens")/r.OK)
	if users := number("max_concurrency"); users > 0 {
		r.Values = append(r.Values, loadgen.Value{Key: "concurrency", Value: users})
	}
	if rate := number("request_rate"); rate > 0 && !math.IsInf(rate, 0) {
		r.Values = append(r.Values, loadgen.Value{Key: "request_rate", Value: rate})
	}
	// The date is that of the end.
	if end, err := time.ParseInLocation("20060102-150405", text("date"), time.Local); err == nil {
		r.Ended = end
		r.Started = end.Add(-seconds(number("duration")))
	}
	return r
}

// set keeps a figure that is a number; stat "" takes the other name.
func (r *Result) set(metric, stat, other string, v float64) {
	if stat == "" {
		stat = other
	}
	if !math.IsNaN(v) && !math.IsInf(v, 0) {
		r.Figures[metric+"."+stat] = v
	}
}

func seconds(s float64) time.Duration {
	if math.IsNaN(s) {
		return 0
	}
	return time.Duration(s * float64(time.Second))
}

// guidellm's summary.
type guidellmFile struct {
	Config guidellmConfig `json:"config"`
	Args   guidellmConfig `json:"args"` // until 0.3
	Start  float64        `json:"start_time"`
	End    float64        `json:"end_time"`
	// Metrics hold a distribution per status; request_totals are counts.
	Metrics map[string]json.RawMessage `json:"metrics"`
	Totals  guidellmTotals             `json:"request_totals"`
}

type guidellmConfig struct {
	Strategy struct {
		Type    string  `json:"type_"`
		Rate    float64 `json:"rate"`
		Streams float64 `json:"streams"`
	} `json:"strategy"`
}

type guidellmTotals struct {
	Successful float64 `json:"successful"`
	Errored    float64 `json:"errored"`
}

type guidellmStats struct {
	Successful struct {
		Mean        *float64           `json:"mean"`
		Min         *float64           `json:"min"`
		Max         *float64           `json:"max"`
		Percentiles map[string]float64 `json:"percentiles"`
	} `json:"successful"`
}

// guidellmMetrics are its names, ours, and the factor between the units. Its
// inter-token latency is ours; its time per output token includes the first.
var guidellmMetrics = []struct {
	theirs, ours string
	factor       float64
	single       bool // one value per run: the mean over time
}{
	{"time_to_first_token_ms", "time_to_first_token", 1, false},
	{"inter_token_latency_ms", "inter_token_latency", 1, false},
	{"request_latency", "request_latency", 1000, false},
	{"prompt_token_count", "input_sequence_length", 1, false},
	{"output_token_count", "output_sequence_length", 1, false},
	{"request_concurrency", "effective_concurrency", 1, false},
	{"requests_per_second", "request_throughput", 1, true},
	{"output_tokens_per_second", "output_token_throughput", 1, true},
	{"tokens_per_second", "total_token_throughput", 1, true},
}

func guidellmResults(data json.RawMessage) ([]Result, error) {
	var files []guidellmFile
	if err := json.Unmarshal(data, &files); err != nil {
		return nil, fmt.Errorf("guidellm's benchmarks: %w", err)
	}
	var all []Result
	for i := range files {
		all = append(all, files[i].result())
	}
	return all, nil
}

func (f *guidellmFile) result() Result {
	r := Result{Tool: "guidellm", Figures: map[string]float64{}}
	for _, m := range guidellmMetrics {
		var s guidellmStats
		if f.Metrics[m.theirs] == nil || json.Unmarshal(f.Metrics[m.theirs], &s) != nil {
			continue
		}
		set := func(stat string, v *float64) {
			if v != nil {
				r.set(m.ours, stat, "", *v*m.factor)
			}
		}
		set("avg", s.Successful.Mean)
		if m.single {
			continue
		}
		set("min", s.Successful.Min)
		set("max", s.Successful.Max)
		for name, v := range s.Successful.Percentiles {
			set("p"+strings.TrimPrefix(strings.TrimPrefix(name, "p"), "0"), &v) // p05 is p5
		}
	}
	totals := f.Totals
	if raw := f.Metrics["request_totals"]; raw != nil {
		_ = json.Unmarshal(raw, &totals)
	}
	r.OK, r.Failed = totals.Successful, totals.Errored
	for _, c := range []guidellmConfig{f.Config, f.Args} {
		if c.Strategy.Type == "" {
			continue
		}
		r.Values = append(r.Values, loadgen.Value{Key: "strategy", Value: c.Strategy.Type})
		switch {
		case c.Strategy.Streams > 0:
			r.Values = []loadgen.Value{{Key: "concurrency", Value: c.Strategy.Streams}}
		case c.Strategy.Rate > 0:
			r.Values = []loadgen.Value{{Key: "request_rate", Value: c.Strategy.Rate}}
		}
		break
	}
	r.Started, r.Ended = unix(f.Start), unix(f.End)
	return r
}

func unix(s float64) time.Time {
	if s <= 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(s*1e9))
}
