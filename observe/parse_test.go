package observe_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"loadgen/observe"
)

// TestOpenMetricsIsRead has a text with what only that format has: units, times,
// exemplars, names of counters without their end.
func TestOpenMetricsIsRead(t *testing.T) {
	const text = "# HELP vllm:generation_tokens Tokens.\n# TYPE vllm:generation_tokens counter\nvllm:generation_tokens_total 7 1700.5\nvllm:generation_tokens_created 1\n" +
		"# TYPE lat_seconds histogram\n# UNIT lat_seconds seconds\nlat_seconds_bucket{le=\"1.0\"} 1 # {trace_id=\"x\"} 0.5\nlat_seconds_bucket{le=\"+Inf\"} 2\nlat_seconds_sum 3\nlat_seconds_count 2\n" +
		"# TYPE odd unknown\nodd 1\n# EOF\n"
	r := observed(t, observe.Config{}, func(w http.ResponseWriter, _ *http.Request, _ int, _ time.Duration) {
		w.Header().Set("Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8")
		io.WriteString(w, text)
	}, profile(2*time.Second))
	e := r.Endpoints[0]
	if e.Failed > 0 {
		t.Fatal(e.Gaps)
	}
	kinds := map[string]observe.Kind{}
	for _, s := range e.Series {
		kinds[strings.TrimSuffix(s.Family.Name, "_total")] = s.Family.Kind
	}
	if kinds["vllm:generation_tokens"] != observe.Counter || kinds["lat_seconds"] != observe.Histogram || kinds["odd"] != observe.Unknown || len(kinds) != 3 {
		t.Errorf("metrics %v", kinds)
	}
	if s := r.Server(); s.Whole.Counts["output_tokens"] != 0 || len(s.Engines) != 1 {
		t.Errorf("%+v", s.Whole)
	}
}

// TestUnitsAreThoseThatAIPerfFinds has names and helps of real servers.
func TestUnitsAreThoseThatAIPerfFinds(t *testing.T) {
	for _, row := range []struct{ name, help, want string }{
		{"vllm:kv_cache_usage_perc", "KV-cache usage. 1 means 100 percent usage.", "ratio"},
		{"vllm:request_success_total", "Count of successfully processed requests.", "requests"},
		{"vllm:num_requests_running", "Number of requests in model execution batches.", "requests"},
		{"llamacpp:predicted_tokens_seconds", "Average generation throughput in tokens/s", "tokens/s"},
		{"llamacpp:tokens_predicted_seconds_total", "Total time spent generating tokens", "seconds"},
		{"llamacpp:n_decode_total", "Total number of llama_decode() calls", ""},
		{"sglang:gen_throughput", "The generation throughput (token/s).", "tokens/s"},
		{"dynamo_frontend_tokenizer_latency_ms", "Tokenizer latency in milliseconds", "ms"},
		{"trtllm_kv_cache_used_blocks", "Used blocks", "blocks"},
	} {
		text := fmt.Sprintf("# HELP %s %s\n# TYPE %s gauge\n%s 1\n", row.name, row.help, row.name, row.name)
		r, err := observe.Replay(false, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Endpoints[0].Series[0].Family.Unit; got != row.want {
			t.Errorf("%s is in %q, want %q", row.name, got, row.want)
		}
	}
}

// TestNativeHistograms has one of schema 1, whose buckets grow by √2: of eight that
// are added four lie in (1, √2] and four in (2, 2√2].
func TestNativeHistograms(t *testing.T) {
	state := func(added bool) *dto.MetricFamily {
		n, sum := uint64(2), 3.0
		spans := []*dto.BucketSpan{{Offset: ptr[int32](1), Length: ptr[uint32](1)}}
		deltas := []int64{2}
		if added {
			n, sum = 10, 3+4*1.2+4*2.4
			spans = []*dto.BucketSpan{{Offset: ptr[int32](1), Length: ptr[uint32](1)}, {Offset: ptr[int32](1), Length: ptr[uint32](1)}}
			deltas = []int64{6, -2} // 6 in bucket 1, 4 in bucket 3
		}
		return &dto.MetricFamily{
			Name: ptr("vllm:time_to_first_token_seconds"), Type: dto.MetricType_HISTOGRAM.Enum(),
			Metric: []*dto.Metric{{Histogram: &dto.Histogram{
				SampleCount: &n, SampleSum: &sum, Schema: ptr[int32](1), ZeroThreshold: ptr(1e-9), ZeroCount: ptr[uint64](0),
				PositiveSpan: spans, PositiveDelta: deltas,
			}}},
		}
	}
	r := observed(t, observe.Config{}, func(w http.ResponseWriter, req *http.Request, n int, _ time.Duration) {
		format := expfmt.NegotiateAccept(req.Header, expfmt.DefaultAcceptedFormats()...)
		if !strings.Contains(string(format), "protobuf") {
			t.Errorf("asked for %s", format)
		}
		w.Header().Set("Content-Type", string(format))
		if err := expfmt.NewEncoder(w, format).Encode(state(n > 2)); err != nil {
			t.Error(err)
		}
	}, profile(5*time.Second))
	e := r.Endpoints[0]
	if e.Failed > 0 {
		t.Fatal(e.Gaps)
	}
	s, ok := e.Spread(series(t, e, "vllm:time_to_first_token_seconds"), observe.UnderLoad)
	if !ok || s.Count != 8 || math.Abs(s.Mean()-1.8) > 1e-9 {
		t.Fatalf("%+v, want 8 of 1.8", s)
	}
	// The fourth of eight ends its bucket; the sixth is in the middle of the next.
	for q, want := range map[float64]float64{0.5: math.Sqrt2, 0.75: 2 + (2*math.Sqrt2-2)/2} {
		if got := s.Quantile(q); math.Abs(got-want) > 1e-9 {
			t.Errorf("quantile %g is %g, want %g", q, got, want)
		}
	}
}

func ptr[T any](v T) *T { return &v }

// FuzzScrape serves any text, twice, and asks for all that a recording tells.
func FuzzScrape(f *testing.F) {
	for _, seed := range []string{
		"a 1\n", "# TYPE a counter\na 5\n", "a NaN\n", "{}\n", "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n",
		"# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 1\ns_count 1\n", "a{b=\"\\\"\"} 1e308\na 2 17000\n", "# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running{a=\"1\"} 1.7e308\nvllm:num_requests_running{a=\"2\"} 1.7e308\nvllm:num_requests_waiting 1.7e308\n", "# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running 1\n",
		"# TYPE DCGM_FI_DEV_POWER_USAGE gauge\nDCGM_FI_DEV_POWER_USAGE{gpu=\"0\"} 1\n", "\x00\xff", "# HELP a \\",
	} {
		f.Add([]byte(seed), []byte(seed), false)
		f.Add([]byte(seed), []byte("a 1\n"), true)
	}
	f.Fuzz(func(t *testing.T, before, after []byte, gpu bool) {
		r, err := observe.Replay(gpu, before, after)
		if err != nil {
			return
		}
		s := r.Server()
		if _, err := json.Marshal(s); err != nil {
			t.Error(err)
		}
		r.Lines()
		for _, w := range []observe.Window{observe.WholeRun, observe.Measured, observe.UnderLoad, observe.WarmingUp} {
			for _, e := range r.Endpoints {
				for _, x := range e.Sorted() {
					e.Level(x, w)
					if c, ok := e.Change(x, w); ok && x.Family.Kind == observe.Counter && !(c.Total >= 0) {
						t.Errorf("%s counted %g", x.Family.Name, c.Total)
					}
					if spread, ok := e.Spread(x, w); ok {
						if q := spread.Quantile(0.9); spread.Count < 0 || math.IsInf(q, 0) {
							t.Errorf("%s took in %+v, of which the p90 is %g", x.Family.Name, spread, q)
						}
					}
				}
			}
		}
		if s != nil && len(s.Sources) != 1 {
			t.Errorf("%+v", s)
		}
	})
}
