package observe_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"loadgen/internal/memnet"
	"loadgen/internal/secret"
	"loadgen/observe"
)

// A page is what a server answers the n-th scrape with, counted from 0, so long
// after it began.
type page func(w http.ResponseWriter, r *http.Request, n int, since time.Duration)

// observed has a server in virtual time observed while during goes on.
func observed(t *testing.T, c observe.Config, serve page, during func(*observe.Observer)) (rec *observe.Recording) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network := memnet.Listen()
		began := time.Now()
		var n atomic.Int64
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			serve(w, r, int(n.Add(1)-1), time.Since(began))
		})}
		served := make(chan error, 1)
		go func() { served <- server.Serve(network) }()
		c.Dial = network.DialContext
		if c.Cost == nil {
			c.Cost = costs(0)
		}
		if c.Interval == 0 {
			c.Interval = time.Second
		}
		if c.Targets == nil {
			c.Targets = []observe.Target{{URL: "http://server/metrics"}}
		}
		o, err := observe.Start(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		during(o)
		rec = o.Stop(t.Context())
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		<-served
	})
	return rec
}

// profile is a run without a warm-up that measures for so long, and drains for two
// seconds.
func profile(d time.Duration) func(*observe.Observer) {
	return func(o *observe.Observer) {
		o.Mark(observe.Profiling)
		time.Sleep(d)
		o.Mark(observe.Drain)
		time.Sleep(2 * time.Second)
	}
}

func text(format string, args ...any) page {
	return func(w http.ResponseWriter, _ *http.Request, _ int, _ time.Duration) { fmt.Fprintf(w, format, args...) }
}

// series returns the only series of a name.
func series(t *testing.T, e *observe.Endpoint, name string) *observe.Series {
	t.Helper()
	var found []*observe.Series
	for _, s := range e.Series {
		if s.Family.Name == name {
			found = append(found, s)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d series of %s, want one", len(found), name)
	}
	return found[0]
}

// TestCountersCountFromTheBorderOfAPhase has a server that counts 10 a second, is
// asked each second, and where the measurement begins and ends besides.
func TestCountersCountFromTheBorderOfAPhase(t *testing.T) {
	serve := func(w http.ResponseWriter, _ *http.Request, _ int, since time.Duration) {
		fmt.Fprintf(w, "# TYPE made_total counter\nmade_total %g\n# TYPE level gauge\nlevel %g\n", 10*since.Seconds(), since.Seconds())
	}
	r := observed(t, observe.Config{}, serve, func(o *observe.Observer) {
		o.Mark(observe.Warmup)
		time.Sleep(3300 * time.Millisecond)
		o.Mark(observe.Profiling)
		time.Sleep(5500 * time.Millisecond)
		o.Mark(observe.Drain)
		time.Sleep(1200 * time.Millisecond)
	})
	e := r.Endpoints[0]
	made, level := series(t, e, "made_total"), series(t, e, "level")
	for window, want := range map[observe.Window]float64{
		observe.WarmingUp: 33, // from its beginning to that of the measurement
		observe.UnderLoad: 55,
		observe.Measured:  72, // until 10.5 s, half a second behind the end: the last scrape
		observe.WholeRun:  105,
	} {
		if c, ok := e.Change(made, window); !ok || math.Abs(c.Total-want) > 1e-6 || math.Abs(c.Rate()-10) > 1e-6 {
			t.Errorf("window %v: %+v at %.3g/s, want %g at 10/s", window, c, c.Rate(), want)
		}
	}
	// At 4, 5, 6, 7, 8 and, where the load ends, 8.8 s.
	if l, ok := e.Level(level, observe.UnderLoad); !ok || l.N != 6 || l.Min != 4 || math.Abs(l.Max-8.8) > 1e-9 || math.Abs(l.Avg-38.8/6) > 1e-9 {
		t.Errorf("level under load %+v, want 6 samples from 4 to 8.8", l)
	}
	if e.Failed > 0 || len(e.Gaps) > 0 || e.Fetches != len(e.Points) {
		t.Errorf("%d of %d scrapes failed, %d kept", e.Failed, e.Fetches, len(e.Points))
	}
}

// TestACounterThatBeginsAnewGoesOn has a server that restarts at 4.5 s.
func TestACounterThatBeginsAnewGoesOn(t *testing.T) {
	serve := func(w http.ResponseWriter, _ *http.Request, _ int, since time.Duration) {
		n := since.Seconds()
		if n > 4.5 {
			n -= 4.5
		}
		fmt.Fprintf(w, "# TYPE a counter\na %g\n# TYPE h histogram\nh_bucket{le=\"1\"} %g\nh_bucket{le=\"+Inf\"} %g\nh_sum %g\nh_count %g\n",
			n, math.Floor(n), math.Floor(2*n), n, math.Floor(2*n))
	}
	r := observed(t, observe.Config{}, serve, profile(8*time.Second))
	e := r.Endpoints[0]
	a, h := series(t, e, "a"), series(t, e, "h")
	// What it counted between 4 and 4.5 s was never seen.
	if c, _ := e.Change(a, observe.UnderLoad); math.Abs(c.Total-7.5) > 1e-6 || a.Resets != 1 {
		t.Errorf("a counted %g with %d resets, want 7.5 with one", c.Total, a.Resets)
	}
	if s, _ := e.Spread(h, observe.UnderLoad); s.Count != 8+7 || s.Counts[0] != 4+3 || h.Resets != 1 {
		t.Errorf("h took in %+v with %d resets, want 15, 7 of them up to 1", s, h.Resets)
	}
}

func TestAHistogramIsTheChangeOfItsBuckets(t *testing.T) {
	serve := func(w http.ResponseWriter, _ *http.Request, n int, _ time.Duration) {
		// 10 in (0, 1] before the run, then 4 in (1, 2], 4 in (2, 4].
		in, sum := 0, 10.0*0.5
		if n > 2 {
			in, sum = 4, 5+4*1.5+4*3
		}
		fmt.Fprintf(w, "# TYPE h histogram\nh_bucket{le=\"1\"} 10\nh_bucket{le=\"2\"} %d\nh_bucket{le=\"4\"} %d\nh_bucket{le=\"+Inf\"} %d\nh_sum %g\nh_count %d\n",
			10+in, 10+2*in, 10+2*in, sum, 10+2*in)
	}
	r := observed(t, observe.Config{}, serve, profile(5*time.Second))
	e := r.Endpoints[0]
	s, ok := e.Spread(series(t, e, "h"), observe.UnderLoad)
	if !ok || s.Count != 8 || s.Sum != 18 || s.Mean() != 2.25 {
		t.Fatalf("%+v, want 8 that sum up to 18", s)
	}
	for q, want := range map[float64]float64{0.25: 1.5, 0.5: 2, 0.75: 3, 1: 4} {
		if got := s.Quantile(q); math.Abs(got-want) > 1e-9 {
			t.Errorf("quantile %g is %g, want %g", q, got, want)
		}
	}
}

// TestWhatFailsIsAGapAndNoEnd has a server that answers badly from the third to
// the fifth second, each time in another way.
func TestWhatFailsIsAGapAndNoEnd(t *testing.T) {
	good := "# TYPE a gauge\na 1\n"
	for name, c := range map[string]struct {
		bad func(http.ResponseWriter, *http.Request)
		why string
	}{
		"an error": {bad: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, why: "status 503"},
		"another place": {bad: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://elsewhere/x", http.StatusFound)
		}, why: "status 302, to http://elsewhere/x"},
		"broken text": {bad: func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "# TYPE a gauge\na one\n") }, why: "line 2"},
		"half a line": {bad: func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "# TYPE a gauge\na 1") }, why: "unexpected end"},
		"nothing":     {bad: func(http.ResponseWriter, *http.Request) {}, why: "no metrics"},
		"no gzip": {bad: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			io.WriteString(w, good)
		}, why: "no gzip"},
		"more than is read":    {bad: func(w http.ResponseWriter, _ *http.Request) { flood(w, 100<<20) }, why: "larger than 8 MiB"},
		"more when unpacked":   {bad: func(w http.ResponseWriter, _ *http.Request) { bomb(w) }, why: "larger than 8 MiB"},
		"a line of labels":     {bad: func(w http.ResponseWriter, _ *http.Request) { labels(w) }, why: "more than 1s of the CPU"},
		"a text without end":   {bad: func(w http.ResponseWriter, r *http.Request) { drip(w, r) }, why: "no whole answer within 5s"},
		"no answer":            {bad: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, why: "no whole answer within 5s"},
		"a connection cut off": {bad: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, why: "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			serve := func(w http.ResponseWriter, r *http.Request, _ int, since time.Duration) {
				if since > 2500*time.Millisecond && since < 5500*time.Millisecond {
					c.bad(w, r)
					return
				}
				io.WriteString(w, good)
			}
			r := observed(t, observe.Config{}, serve, profile(14*time.Second))
			e := r.Endpoints[0]
			if len(e.Gaps) != 1 || !strings.Contains(e.Gaps[0].Why, c.why) || e.Off != "" {
				t.Fatalf("gaps %+v, given up %q; want one by %q", e.Gaps, e.Off, c.why)
			}
			// A text that takes long to read is not asked for as often.
			if e.Failed > 3 || e.Failed < 1 {
				t.Errorf("%d failed", e.Failed)
			}
			if last := e.Points[len(e.Points)-1]; last.At < 14*time.Second || e.Fetches != e.Failed+len(e.Points) {
				t.Errorf("the last of %d points at %v, %d fetches, %d failed", len(e.Points), last.At, e.Fetches, e.Failed)
			}
		})
	}
}

func flood(w io.Writer, bytes int) {
	line := strings.Repeat("# nothing that is worth reading\n", 1000)
	for n := 0; n < bytes; n += len(line) {
		if _, err := io.WriteString(w, line); err != nil {
			return
		}
	}
}

// labels writes a sample with 200,000 labels.
func labels(w io.Writer) {
	io.WriteString(w, "a{")
	for i := range 200_000 {
		fmt.Fprintf(w, "l%d=\"\",", i)
	}
	io.WriteString(w, "} 1\n")
}

// bomb writes little that unpacks to 100 MiB: one pack, a hundred times.
func bomb(w http.ResponseWriter) {
	w.Header().Set("Content-Encoding", "gzip")
	var pack bytes.Buffer
	z := gzip.NewWriter(&pack)
	flood(z, 1<<20)
	z.Close()
	w.Write(bytes.Repeat(pack.Bytes(), 100))
}

func drip(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		io.WriteString(w, "# and on it goes\n")
		w.(http.Flusher).Flush()
		time.Sleep(100 * time.Millisecond)
	}
}

func TestOddSamplesAreLeftOutAndCounted(t *testing.T) {
	r := observed(t, observe.Config{}, text("# TYPE a gauge\na 1\na 2\na{x=\"1\"} NaN\na{x=\"2\"} +Inf\na{x=\"3\"} 3\n"+
		"# TYPE h histogram\nh_bucket{le=\"1\"} 3\nh_bucket{le=\"2\"} 1\nh_bucket{le=\"+Inf\"} 4\nh_sum 1\nh_count 4\na_created 5\n"), profile(time.Second))
	e := r.Endpoints[0]
	if len(e.Series) != 2 || e.Odd != 4*len(e.Points) {
		t.Errorf("%d series, %d odd samples of %d points; want 2 and 4 each", len(e.Series), e.Odd, len(e.Points))
	}
}

func costs(d time.Duration) func(time.Duration) time.Duration {
	return func(time.Duration) time.Duration { return d }
}

// TestADearTextIsAskedForLessOften: 10 ms are half a percent of 2 s. Phases begin
// and end with a scrape of their own.
func TestADearTextIsAskedForLessOften(t *testing.T) {
	for cost, want := range map[time.Duration]time.Duration{0: time.Second, time.Millisecond: time.Second, 10 * time.Millisecond: 2 * time.Second} {
		e := observed(t, observe.Config{Cost: costs(cost)}, text("a 1\n"), profile(20*time.Second)).Endpoints[0]
		most := time.Duration(0)
		for i, p := range e.Points[1:] {
			most = max(most, p.At-e.Points[i].At)
		}
		if most != want || e.Wait != want {
			t.Errorf("%v each: scrapes up to %v apart, said to be %v; want %v", cost, most, e.Wait, want)
		}
	}
}

// TestANightFits has a server observed for 4 hours, which takes 14,400 scrapes.
func TestANightFits(t *testing.T) {
	serve := func(w http.ResponseWriter, _ *http.Request, _ int, since time.Duration) {
		fmt.Fprintf(w, "# TYPE made_total counter\nmade_total %g\n# TYPE level gauge\nlevel %g\n", since.Seconds(), math.Mod(since.Seconds(), 100))
	}
	r := observed(t, observe.Config{}, serve, profile(4*time.Hour))
	e := r.Endpoints[0]
	if n := len(e.Points); n > observe.MostPoints || n < observe.MostPoints/2 || e.Step != 8 || e.Dropped != e.Fetches-n {
		t.Errorf("%d points of %d fetches, every %d., %d dropped", n, e.Fetches, e.Step, e.Dropped)
	}
	if c, _ := e.Change(series(t, e, "made_total"), observe.UnderLoad); math.Abs(c.Total-14400) > 1e-6 {
		t.Errorf("it made %g, want 14400", c.Total)
	}
	l, _ := e.Level(series(t, e, "level"), observe.UnderLoad)
	if l.N < 14390 || l.Min != 0 || l.Max != 99 || math.Abs(l.Avg-49.5) > 0.1 {
		t.Errorf("%d levels from %g to %g, %g in the mean; want all samples from 0 to 99", l.N, l.Min, l.Max, l.Avg)
	}
}

// TestAutoFindsTheMetrics tries the service's /metrics, and that of TensorRT-LLM.
func TestAutoFindsTheMetrics(t *testing.T) {
	for name, c := range map[string]struct {
		service, there, shown, off string
	}{
		"the usual place":        {"http://server/v1", "/metrics", "http://server/metrics", ""},
		"behind a path":          {"http://server/models/a", "/models/a/metrics", "http://server/models/a/metrics", ""},
		"the place of another":   {"http://server", "/prometheus/metrics", "http://server/prometheus/metrics", ""},
		"nowhere, and no matter": {"http://server", "/elsewhere", "http://server/metrics", "status 404"},
	} {
		t.Run(name, func(t *testing.T) {
			serve := func(w http.ResponseWriter, r *http.Request, _ int, _ time.Duration) {
				if r.URL.Path != c.there {
					http.NotFound(w, r)
					return
				}
				io.WriteString(w, "a 1\n")
			}
			r := observed(t, observe.Config{Targets: []observe.Target{{URL: c.service, Auto: true}}}, serve, profile(3*time.Second))
			e := r.Endpoints[0]
			if e.URL != c.shown || !strings.Contains(e.Off, c.off) || (e.Off == "") != (c.off == "") || r.Empty() != (c.off != "") {
				t.Errorf("at %s, given up %q, empty %t", e.URL, e.Off, r.Empty())
			}
			if c.off != "" && e.Fetches != 2 {
				t.Errorf("asked %d times, want twice", e.Fetches)
			}
		})
	}
}

// TestAServerIsAskedSparingly looks at what reaches it.
func TestAServerIsAskedSparingly(t *testing.T) {
	remotes, zipped := map[string]bool{}, 0
	serve := func(w http.ResponseWriter, r *http.Request, _ int, _ time.Duration) {
		remotes[r.RemoteAddr] = true
		if r.Header.Get("X-Who") != "me" || r.Header.Get("Accept-Encoding") != "gzip" || r.UserAgent() != "loadgen/9" {
			t.Errorf("headers %v", r.Header)
		}
		zipped++
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		io.WriteString(z, "a 1\n")
		z.Close()
	}
	r := observed(t, observe.Config{Version: "9", Interval: 2 * time.Second, Targets: []observe.Target{{URL: "http://server/m?key=hidden", Header: map[string]string{"X-Who": "me"}}}}, serve, profile(20*time.Second))
	if e := r.Endpoints[0]; zipped > 16 || len(remotes) != 1 || e.Failed > 0 || strings.Contains(e.URL, "hidden") {
		t.Errorf("%d scrapes over %d connections of %s, %d failed", zipped, len(remotes), e.URL, e.Failed)
	}
}

// TestWhatAServerSaysHoldsNoSecret has one that repeats the key it was sent.
func TestWhatAServerSaysHoldsNoSecret(t *testing.T) {
	secrets := &secret.Set{}
	secrets.Add("sk-0123456789abcdef")
	r := observed(t, observe.Config{Secrets: secrets}, func(w http.ResponseWriter, _ *http.Request, n int, _ time.Duration) {
		if n == 3 {
			io.WriteString(w, "a{sk-0123456789abcdef} 1\n")
			return
		}
		io.WriteString(w, "# HELP a of sk-0123456789abcdef\x1b[2J\n# TYPE a gauge\na{key=\"sk-0123456789abcdef\"} 1\n")
	}, profile(5*time.Second))
	e := r.Endpoints[0]
	s := series(t, e, "a")
	for _, shown := range []string{s.Family.Help, s.Labels[0].Value, e.Gaps[0].Why} {
		if strings.Contains(shown, "0123456789") || strings.Contains(shown, "\x1b") {
			t.Errorf("it says %q", shown)
		}
	}
}

// TestTheEndIsSoon has a server that no longer answers when the run is over.
func TestTheEndIsSoon(t *testing.T) {
	var hang atomic.Bool
	serve := func(w http.ResponseWriter, r *http.Request, _ int, _ time.Duration) {
		if hang.Load() {
			<-r.Context().Done()
			return
		}
		io.WriteString(w, "a 1\n")
	}
	var began time.Time
	r := observed(t, observe.Config{}, serve, func(o *observe.Observer) {
		o.Mark(observe.Profiling)
		time.Sleep(3500 * time.Millisecond)
		hang.Store(true)
		began = time.Now()
	})
	if took := r.Began.Add(r.Ended).Sub(began); took > 3*time.Second {
		t.Errorf("the end took %v", took)
	}
	if len(r.Endpoints[0].Points) == 0 {
		t.Error("what was seen is lost")
	}
}

// TestInFlightIsReadBesideEachScrape has 10 in flight, of which the server has 8
// running and 2 waiting, and later 6 more of somebody else's.
func TestInFlightIsReadBesideEachScrape(t *testing.T) {
	serve := func(w http.ResponseWriter, _ *http.Request, _ int, since time.Duration) {
		running := 8
		if since > 10*time.Second {
			running = 14
		}
		fmt.Fprintf(w, "# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running %d\n# TYPE vllm:num_requests_waiting gauge\nvllm:num_requests_waiting 2\n", running)
	}
	c := observe.Config{InFlight: func() int { return 10 }}
	s := observed(t, c, serve, profile(9500*time.Millisecond)).Server()
	if b := s.Beside; b == nil || b.Client != 10 || b.Server != 10 || b.N != 9 || b.Error != 0 {
		t.Errorf("in flight %+v, want 10 of 10", b)
	}
	s = observed(t, c, serve, profile(21*time.Second)).Server()
	if b := s.Beside; b == nil || b.Server < 12 || b.Server > 14 {
		t.Errorf("in flight %+v, want some 13 of 10", b)
	}
	if l, ok := s.Loaded.Level(observe.Inside); !ok || l.Max != 16 || l.Min != 10 {
		t.Errorf("inside %+v, want 10 to 16", l)
	}
}

func TestStartSaysWhatItCannotRead(t *testing.T) {
	if _, err := observe.Start(context.Background(), observe.Config{Targets: []observe.Target{{URL: "::"}}}); err == nil {
		t.Error("no error for an address that is none")
	}
}
