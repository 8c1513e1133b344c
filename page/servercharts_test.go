package page_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"loadgen/page"
)

// serverSeries is what a server and a GPU said of themselves: its queue grew, it
// was not reached once, its cache filled, and nothing was looked up at first.
const serverSeries = `{"server":{"epoch_ns":1700000000000000000,"lines":[
{"name":"running","at_sec":[-0.5,0,0.5,1,1.5],"values":[1,2,null,2,2]},
{"name":"waiting","at_sec":[-0.5,0,0.5,1,1.5],"values":[0,0,null,7,9]},
{"name":"kv_usage","at_sec":[0,0.5,1],"values":[0.1,0.5,0.9]},
{"name":"prefix_queries","at_sec":[0,0.5,1],"values":[0,10,10]},
{"name":"prefix_hits","at_sec":[0,0.5,1],"values":[0,5,10]},
{"name":"queue","at_sec":[0,0.5,1],"values":[0.001,null,0.02]},
{"name":"preemptions","at_sec":[0,0.5,1],"values":[0,0,0]},
{"name":"nvidia_gpu_utilization","gpu":"node 0","at_sec":[0,1],"values":[50,90]},
{"name":"nvidia_gpu_utilization","gpu":"node <b>1</b>","at_sec":[0,1],"values":[40,80]}]}}`

func observed(t *testing.T, text string) string {
	t.Helper()
	dir := batch(t, made{verdict: "VALID"})
	if err := os.WriteFile(filepath.Join(dir, "cell0", "server_series.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestWhatTheServerSaidStandsBesideTheRun(t *testing.T) {
	text := html(t, observed(t, serverSeries))
	for _, want := range []string{
		"Requests in the server", ">running<", ">waiting<", "The server&#39;s caches", ">KV cache in use<", ">prefix cache hits<",
		"Times in the server", ">queue<", "GPU utilization", "GPU node 0", "GPU node &lt;b&gt;1&lt;/b&gt;",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(text, "Preemptions") {
		t.Error("a chart of preemptions, of which there were none")
	}
}

func TestABrokenServerSeriesIsToldAndCostsNothingElse(t *testing.T) {
	for _, tc := range []struct{ why, text string }{
		{"cut off", serverSeries[:300]},
		{"times without values", `{"server":{"lines":[{"name":"running","at_sec":[0,1],"values":[1]}]}}`},
	} {
		text := html(t, observed(t, tc.text))
		if !strings.Contains(text, "What the server said cannot be read") || !strings.Contains(text, "Requests in flight") {
			t.Errorf("%s: it is not told, or the other charts are gone", tc.why)
		}
	}
}

func TestTheLoadOfGPUsHasAIPerfsPicture(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it draws some fifty pictures")
	}
	into := t.TempDir()
	if _, err := page.Plots(observed(t, serverSeries), into, false); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"gpu_utilization_and_throughput_over_time.png", "server_requests_over_time.svg"} {
		if _, err := os.Stat(filepath.Join(into, name)); err != nil {
			t.Error(err)
		}
	}
}
