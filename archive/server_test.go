package archive

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"loadgen/analyze"
	"loadgen/internal/memnet"
	"loadgen/mockllm"
	"loadgen/runner"
	"loadgen/sweep"
)

// A scene is a run with a cause of trouble planted in it.
type scene struct {
	cause    string // the finding that names it; empty for none
	users    int
	settings []string
	delay    time.Duration // of the network, there and back
	cap      int           // requests that a proxy lets through at once; 0 for any number
	foreign  int           // users of somebody else
	hot      bool          // the GPU is too hot from the sixth second on
}

// scenes returns one for each cause, with sizes of a seed's own.
func scenes(seed uint64) []scene {
	r := rand.New(rand.NewPCG(seed, 14))
	users := 8 + r.IntN(9)
	few := max(2, users/4)
	prompt, answer := 100+r.IntN(200), 20+r.IntN(30)
	plain := []string{
		fmt.Sprintf("base_config.concurrency=%d", users), fmt.Sprintf("base_config.random_seed=%d", seed),
		fmt.Sprintf("base_config.prompt_input_tokens_mean=%d", prompt), fmt.Sprintf("base_config.prompt_output_tokens_mean=%d", answer),
	}
	with := func(more ...string) []string { return append(slices.Clone(plain), more...) }
	return []scene{
		{users: users, settings: plain},
		{users: users, settings: with("base_config.shared_system_prompt_length=800")},
		{users: users, settings: with(fmt.Sprintf("base_config.concurrency=%d", 4*users))},
		{users: users, settings: with("base_config.concurrency=200", "base_config.request_rate=12", "base_config.request_rate_mode=poisson")},
		{cause: "queue", users: users, settings: with(fmt.Sprintf("mock.max_num_seqs=%d", few))},
		{cause: "kv-cache-full", users: users, settings: with(
			"base_config.prompt_input_tokens_mean=900", "base_config.prompt_output_tokens_mean=20", "mock.prefix_cache=false",
			fmt.Sprintf("mock.kv_cache_tokens=%d", few*1480))},
		{cause: "cold-prefix-cache", users: users, settings: with("base_config.shared_system_prompt_length=800", "mock.prefix_cache=false")},
		// Sixty prefixes that do not fit: what is cached is evicted before it is asked for.
		{cause: "cold-prefix-cache", users: users, settings: with(
			"base_config.num_prefix_prompts=60", "base_config.prefix_prompt_length=1200", fmt.Sprintf("mock.kv_cache_tokens=%d", users*2600))},
		{cause: "foreign-traffic", users: users, settings: plain, foreign: users/2 + r.IntN(users)},
		{cause: "queue-before-server", users: users, settings: plain, cap: few},
		{cause: "gpu-throttled", users: users, settings: plain, hot: true},
		{cause: "slow-network", users: users, settings: plain, delay: time.Duration(80+r.IntN(120)) * time.Millisecond},
	}
}

// serverCauses are the findings that rest on what the server says.
var serverCauses = []string{"queue", "kv-cache-full", "cold-prefix-cache", "foreign-traffic", "queue-before-server", "gpu-throttled", "slow-network", "outside-server", "engine-asleep"}

var sceneSeeds = flag.Int("seeds", 1, "seeds of each scene with a planted cause")

// TestPlantedCausesAreNamed has twelve scenes of five seeds each, four of them healthy, with the server's
// metrics and without: how often the cause is the first finding, and how often any
// is found where there is none.
func TestPlantedCausesAreNamed(t *testing.T) {
	seeds := *sceneSeeds
	for _, observed := range []bool{true, false} {
		named, planted, false1, healthy := 0, 0, 0, 0
		var missed []string
		for seed := range seeds {
			for _, sc := range scenes(uint64(seed)) {
				found := sc.play(t, observed)
				var ids []string
				for _, f := range found {
					if f.ID != "not-enough-data" {
						ids = append(ids, f.ID)
					}
				}
				top := ids[0]
				if sc.cause == "" {
					healthy++
					if slices.ContainsFunc(ids, func(id string) bool { return slices.Contains(serverCauses, id) }) {
						false1++
						missed = append(missed, fmt.Sprintf("seed %d, healthy: %v", seed, ids))
					}
					continue
				}
				planted++
				if top == sc.cause {
					named++
				} else {
					missed = append(missed, fmt.Sprintf("seed %d, %s: %v", seed, sc.cause, ids))
				}
			}
		}
		t.Logf("metrics %t: the cause named on top in %d of %d scenes, a false one in %d of %d healthy ones", observed, named, planted, false1, healthy)
		if observed && (10*named < 9*planted || false1 > 0) {
			t.Errorf("want nine of ten, and none in healthy ones; otherwise:\n%s", strings.Join(missed, "\n"))
		}
	}
}

// play runs the scene in virtual time and returns what is found.
func (sc scene) play(t *testing.T, observed bool) (found []analyze.Finding) {
	t.Helper()
	words := Vocabulary()
	settings := sc.settings
	if observed {
		settings = append(slices.Clone(settings), "base_config.server_metrics=auto", "base_config.gpu_metrics=http://endpoint/gpu")
	}
	synctest.Test(t, func(t *testing.T) {
		batch, err := sweep.Parse("scene.yaml", []byte("base_config: {model: m, url: 'mock://', streaming: true, benchmark_duration: 15, warmup_request_count: 20, concurrency: 1}\nmock: {seed: 1}\n"),
			sweep.Options{Overrides: settings})
		if err != nil {
			t.Fatal(err)
		}
		batch.Mock.Precise = false
		endpoint, err := mockllm.New(batch.Mock)
		if err != nil {
			t.Fatal(err)
		}
		network := memnet.Listen()
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- endpoint.Serve(ctx, network) }()
		way := &http.Transport{DialContext: network.DialContext, MaxIdleConnsPerHost: 100}
		front, closeFront := sc.front(way)
		endForeigners := sc.foreigners(way)
		kept := &traced{}
		r := &runner.Runner{
			Batch: batch, Recorder: kept, Endpoint: "http://endpoint", Dial: front.DialContext,
			LookupEnv: func(string) (string, bool) { return "", false }, Version: "test",
			Vocabulary: func(context.Context, string, string) *runner.Vocabulary { return words },
			Stop:       t.Context(), Log: slog.New(slog.DiscardHandler),
		}
		if _, err := r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		endForeigners()
		closeFront()
		way.CloseIdleConnections()
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
		found = analyze.Findings(kept.cells, analyze.Defaults())
	})
	return found
}

// front is what stands before the endpoint: the network and a proxy. It has the
// metrics of a GPU, too.
func (sc scene) front(way *http.Transport) (*memnet.Listener, func()) {
	began := time.Now()
	network := memnet.Listen()
	var places chan struct{}
	if sc.cap > 0 {
		places = make(chan struct{}, sc.cap)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(sc.delay)
		if r.URL.Path == "/gpu" {
			bits, clock, heat := 1, 1900, 60
			if sc.hot && time.Since(began) > 6*time.Second {
				bits, clock, heat = 0x40, 1200, 92
			}
			for name, v := range map[string]int{"DCGM_FI_DEV_CLOCK_THROTTLE_REASONS": bits, "DCGM_FI_DEV_SM_CLOCK": clock, "DCGM_FI_DEV_GPU_TEMP": heat, "DCGM_FI_DEV_POWER_USAGE": 400} {
				fmt.Fprintf(w, "# TYPE %s gauge\n%s{gpu=\"0\",UUID=\"GPU-1\",modelName=\"H200\"} %d\n", name, name, v)
			}
			return
		}
		if places != nil && strings.HasPrefix(r.URL.Path, "/v1") {
			places <- struct{}{}
			defer func() { <-places }()
		}
		forward(way, w, r)
	})}
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = server.Serve(network)
	}()
	return network, func() {
		_ = server.Close()
		<-over
	}
}

// forward passes a request on, and the answer back as it comes. The proxy of
// net/http/httputil sets off a timer at once for each stream, which in two
// goroutines of one bubble crashes Go 1.26 under its race detector.
func forward(way *http.Transport, w http.ResponseWriter, r *http.Request) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.RequestURI = "http", "endpoint", ""
	reply, err := way.RoundTrip(r)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer reply.Body.Close()
	maps.Copy(w.Header(), reply.Header)
	w.WriteHeader(reply.StatusCode)
	out, buf := http.NewResponseController(w), make([]byte, 32<<10)
	for {
		n, err := reply.Body.Read(buf)
		if _, gone := w.Write(buf[:n]); err != nil || gone != nil || out.Flush() != nil {
			return
		}
	}
}

// foreigners load the endpoint until they are told to end.
func (sc scene) foreigners(way *http.Transport) (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var users sync.WaitGroup
	for range sc.foreign {
		users.Go(func() {
			for ctx.Err() == nil {
				body := `{"model":"m","prompt":"what somebody else wants to know","max_tokens":60}`
				req, _ := http.NewRequestWithContext(ctx, http.MethodPost, "http://endpoint/v1/completions", bytes.NewReader([]byte(body)))
				req.Header.Set("Content-Type", "application/json")
				if resp, err := way.RoundTrip(req); err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
			}
		})
	}
	return func() {
		cancel()
		users.Wait()
	}
}
