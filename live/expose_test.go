package live

import (
	"bytes"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"loadgen"
	"loadgen/metrics"
	"loadgen/results"
)

func TestTheRunIsExposedInBaseUnits(t *testing.T) {
	var b bytes.Buffer
	expose(&b, busy(), true, "ni\"ght", "1.0")
	const run = `run="request_rate=120000 prompt_input_tokens_mean=1000"`
	for _, want := range []string{
		`loadgen_info{version="1.0",batch="ni\"ght"} 1` + "\n",
		"loadgen_batch_run_index{" + run + "} 2\n",
		"loadgen_batch_runs{" + run + "} 3\n",
		"loadgen_run_in_flight{" + run + "} 1234\n",
		"# TYPE loadgen_run_requests gauge\nloadgen_run_requests{" + run + `,result="ok"} 123456` + "\n",
		"loadgen_run_failures{" + run + `,kind="http_5xx",status="503"} 700` + "\n",
		"loadgen_run_time_to_first_token_seconds{" + run + `,quantile="0.99"} 12.3456` + "\n",
		"loadgen_run_output_token_rate{" + run + "} 7654321\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, b.String())
		}
	}
	b.Reset()
	expose(&b, status{}, false, "b", "1.0")
	if got := b.String(); strings.Contains(got, "loadgen_run") || !strings.Contains(got, "loadgen_info") {
		t.Errorf("before the first run: %s", got)
	}
}

func TestWhatASearchFoundStandsBesideTheRun(t *testing.T) {
	board := &Board{name: "b"}
	e := &exposition{board: board}
	if got := string(e.now(time.Unix(10, 0))); strings.Contains(got, "loadgen_capacity") {
		t.Errorf("before the first probe ended: %s", got)
	}
	open := metrics.Bound(math.NaN())
	board.Found([]results.Capacity{
		{Cell: loadgen.Cell{Values: []loadgen.Value{{Key: "prompt_input_tokens_mean", Value: 100}}}, Over: "concurrency", Unit: "users", Tiers: []results.CapacityTier{
			{Name: "chat", Status: "found", Capacity: 46, Lower: 44, Upper: open, Certified: true},
		}},
		{Cell: loadgen.Cell{Values: []loadgen.Value{{Key: "prompt_input_tokens_mean", Value: 200}}}, Over: "concurrency", Unit: "users", Tiers: []results.CapacityTier{
			{Name: "chat", Status: "open", Capacity: 7, Lower: 7, Upper: open},
		}},
	})
	got := string(e.now(time.Unix(11, 0)))
	const first, second = `{over="concurrency",unit="users",tier="chat",sweep_prompt_input_tokens_mean="100"`, `{over="concurrency",unit="users",tier="chat",sweep_prompt_input_tokens_mean="200"`
	for _, want := range []string{
		"# TYPE loadgen_capacity gauge\nloadgen_capacity" + first + "} 46\n#",
		"loadgen_capacity_lower" + first + "} 44\n#",
		"loadgen_capacity_certified" + first + "} 1\n", "loadgen_capacity_certified" + second + "} 0\n",
		"loadgen_capacity_status" + first + `,status="found"} 1` + "\n", "loadgen_capacity_status" + second + `,status="open"} 1` + "\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	if strings.Contains(got, "loadgen_capacity_upper") {
		t.Errorf("an interval without an end has one:\n%s", got)
	}
}

func TestScrapesAreAnsweredFromTheSameLook(t *testing.T) {
	e := &exposition{board: &Board{name: "b", began: time.Unix(0, 0)}}
	first := e.now(time.Unix(10, 0))
	e.board.name = "other"
	if second := e.now(time.Unix(10, 5e8)); !bytes.Equal(first, second) {
		t.Error("half a second later the board was asked again")
	}
	if third := e.now(time.Unix(11, 0)); bytes.Equal(first, third) {
		t.Error("a second later it was not")
	}
}

func TestExposeServesUntilItIsStopped(t *testing.T) {
	board := &Board{name: "b"}
	at, stop, err := board.Expose("127.0.0.1:0", "1.0")
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get("http://" + at + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(res.Body)
	res.Body.Close()
	if res.StatusCode != 200 || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/plain; version=0.0.4") || !strings.Contains(string(text), `batch="b"`) {
		t.Errorf("%s, %v:\n%s", res.Status, res.Header, text)
	}
	if _, _, err := board.Expose(at, "1.0"); err == nil {
		t.Error("an address that is taken is taken twice")
	}
	stop()
	if res, err := client.Get("http://" + at + "/metrics"); err == nil {
		res.Body.Close()
		t.Error("it is served after it was stopped")
	}
}
