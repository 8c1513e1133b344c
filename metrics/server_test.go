package metrics_test

import (
	"math"
	"strings"
	"testing"

	"loadgen"
	"loadgen/metrics"
)

// seenBy is what a server says of 10 users' 500 requests, of 200 ms and 100 tokens
// each, that has as many in flight as they.
func seenBy(f func(*loadgen.Server)) *loadgen.Server {
	s := &loadgen.Server{
		Engines: []string{"vllm"}, Sources: []loadgen.ServerSource{{URL: "http://a/metrics", Scrapes: 12, Least: 1}},
		Whole: loadgen.ServerWindow{
			Counts: map[string]float64{"requests": 500, "output_tokens": 50_000},
			Times:  map[string]loadgen.ServerTiming{"e2e": {N: 500, Mean: 0.199}},
		},
		Beside: &loadgen.Beside{N: 10, Client: 10, Server: 10},
		Measured: &loadgen.ServerWindow{
			Counts: map[string]float64{},
			Times:  map[string]loadgen.ServerTiming{"e2e": {N: 500, Mean: 0.199}},
		},
	}
	f(s)
	return s
}

func TestForeignLoadIsTold(t *testing.T) {
	count := func(noun string, n float64) func(*loadgen.Server) {
		return func(s *loadgen.Server) { s.Whole.Counts[noun] = n }
	}
	beside := func(server, err float64) func(*loadgen.Server) {
		return func(s *loadgen.Server) { s.Beside.Server, s.Beside.Error = server, err }
	}
	uncounted := func(s *loadgen.Server) { s.Whole.Counts = nil }
	e2e := func(mean float64) func(*loadgen.Server) {
		return func(s *loadgen.Server) {
			s.Measured.Times["e2e"] = loadgen.ServerTiming{N: 500, Mean: mean}
			s.Whole.Times["e2e"] = s.Measured.Times["e2e"]
		}
	}
	for _, row := range []struct {
		name string
		seen []func(*loadgen.Server)
		told string // of the sign, where it breaks its limit
		note string
	}{
		{name: "both sides agree"},
		{name: "a request of somebody else", seen: []func(*loadgen.Server){count("requests", 501)}},
		{name: "a fifth more requests", seen: []func(*loadgen.Server){count("requests", 600)}, told: "foreign load: the server answered 600 requests where this run sent 500"},
		{name: "long answers of others, that are no requests yet", seen: []func(*loadgen.Server){count("output_tokens", 80_000)}, told: "made 80000 tokens where its answers had 50000"},
		{name: "a server that counts tokens alone", seen: []func(*loadgen.Server){count("output_tokens", 80_000), func(s *loadgen.Server) { delete(s.Whole.Counts, "requests") }}, told: "foreign load: the server made 80000 tokens where its answers had 50000:"},
		{name: "more in flight, but counted alike: a stale gauge", seen: []func(*loadgen.Server){beside(15, 0.1)}},
		{name: "more in flight, and not counted", seen: []func(*loadgen.Server){uncounted, beside(15, 0.1)}, told: "the server had 15 requests on average where this run had 10"},
		{name: "more in flight by chance", seen: []func(*loadgen.Server){uncounted, beside(13, 1)}},
		{name: "one more in flight", seen: []func(*loadgen.Server){uncounted, beside(11, 0)}},
		{name: "half of them wait before the server", seen: []func(*loadgen.Server){beside(5, 0.1), e2e(0.1)}, told: "a queue before the server: of 10 requests in flight only 5 were in it"},
		{name: "fewer in flight, but as slow: a stale gauge", seen: []func(*loadgen.Server){beside(5, 0.1)}},
		{name: "a slow network has them", seen: []func(*loadgen.Server){beside(5, 0.1), e2e(0.1), func(s *loadgen.Server) { s.Sources[0].Least = 99 }}},
		{name: "one of two replicas", seen: []func(*loadgen.Server){count("requests", 250), count("output_tokens", 25_000), beside(5, 0.1)}, note: "counted 250 of the 500 requests"},
		{name: "a server that was restarted", seen: []func(*loadgen.Server){count("requests", 800), func(s *loadgen.Server) { s.Sources[0].Restarts = 1 }}},
		{name: "one of four workers", seen: []func(*loadgen.Server){count("requests", 2000), beside(40, 0), func(s *loadgen.Server) { s.Workers = 4 }}},
		{name: "a server whose clock was set forward", seen: []func(*loadgen.Server){e2e(28)}, note: "its times are used for nothing"},
		{name: "times of longer requests of others", seen: []func(*loadgen.Server){e2e(28), func(s *loadgen.Server) { s.Whole.Times["e2e"] = loadgen.ServerTiming{N: 501, Mean: 28} }}},
		{name: "too few looks", seen: []func(*loadgen.Server){uncounted, beside(20, 0), func(s *loadgen.Server) { s.Beside.N = 4 }}},
	} {
		server := seenBy(func(s *loadgen.Server) {
			for _, f := range row.seen {
				f(s)
			}
		})
		s := judged(t, metrics.Facts{Load: loadgen.Load{Users: 10}}, loadgen.Outcome{Server: server}, healthy(), loadgen.Transport{}, steadyRun(func(_ int, r *loadgen.Record) { r.Usage.CompletionTokens = 100 })...)
		if s.Counts.OK != 500 {
			t.Fatalf("%d requests", s.Counts.OK)
		}
		text := ""
		for _, sign := range s.Validity.Reasons {
			if sign.Name == "foreign_load" {
				text = sign.Text
			}
		}
		if (text != "") != (row.told != "") || !strings.Contains(text, row.told) {
			t.Errorf("%s: told %q, want %q", row.name, text, row.told)
		}
		if notes := strings.Join(s.Validity.Notes, "; "); !strings.Contains(notes, row.note) || row.note == "" && notes != "" {
			t.Errorf("%s: notes %q, want %q", row.name, notes, row.note)
		}
	}
}

// TestTheServersCacheIsHeldAgainstThePrompts has prompts of 100 tokens, of which 60
// are shared, and a server whose replies do not say what was cached.
func TestTheServersCacheIsHeldAgainstThePrompts(t *testing.T) {
	for _, row := range []struct {
		name   string
		hits   float64 // of 1,000 tokens looked up
		resent bool
		warm   bool
		note   string
	}{
		{name: "as many as can be", hits: 600},
		{name: "some", hits: 400},
		{name: "few", hits: 100, note: "a cold cache: 10 % of the prompt tokens came from the server's prefix cache, of at most 60 %"},
		{name: "more than can be", hits: 900, warm: true},
		{name: "more than can be, sent before", hits: 900, resent: true, note: "the batch has sent them before"},
	} {
		server := seenBy(func(s *loadgen.Server) {
			s.Measured.Counts = map[string]float64{"prefix_queries": 1000, "prefix_hits": row.hits}
		})
		s := judged(t, metrics.Facts{Load: loadgen.Load{Users: 10}, Resent: row.resent}, loadgen.Outcome{Server: server}, healthy(), loadgen.Transport{}, steadyRun(func(_ int, r *loadgen.Record) {
			r.Usage.CompletionTokens = 100
			r.Request = &loadgen.Request{InputTokens: 100, SharedTokens: 60}
		})...)
		notes := strings.Join(s.Validity.Notes, "; ")
		if has(s.Validity, "warm_cache") != row.warm || !strings.Contains(notes, row.note) || row.note == "" && notes != "" {
			t.Errorf("%s: warm %t, notes %q", row.name, has(s.Validity, "warm_cache"), notes)
		}
		if p := s.Server.Prefix; p == nil || p.HitRate != row.hits/1000 || p.Bound != 0.6 {
			t.Errorf("%s: %+v", row.name, p)
		}
	}
}

// TestATemplateBehindTheTextIsNoColdCache has prompts of 200 tokens that share nothing,
// and a chat template of 27, of which 9 stand before the text.
func TestATemplateBehindTheTextIsNoColdCache(t *testing.T) {
	server := seenBy(func(s *loadgen.Server) {
		s.Measured.Counts = map[string]float64{"prefix_queries": 2270, "prefix_hits": 90}
	})
	s := judged(t, metrics.Facts{Load: loadgen.Load{Users: 10}}, loadgen.Outcome{Server: server}, healthy(), loadgen.Transport{}, steadyRun(func(_ int, r *loadgen.Record) {
		r.Usage.CompletionTokens = 100
		r.Request = &loadgen.Request{InputTokens: 200, TemplateTokens: 27}
	})...)
	if p := s.Server.Prefix; p == nil || p.Cold() || p.Text != 0 || p.Bound != 27./227 {
		t.Errorf("%+v", p)
	}
	if notes := strings.Join(s.Validity.Notes, "; "); notes != "" {
		t.Errorf("notes %q", notes)
	}
}

// TestTimesAreHeldAgainstThoseOfTheSameRequests has a server whose first 100 answers of
// the measured phase are the warm-up's, of twice the time: its means of that phase are
// of others than the client's.
func TestTimesAreHeldAgainstThoseOfTheSameRequests(t *testing.T) {
	for _, row := range []struct {
		name       string
		warmup     int // of 500
		seen       float64
		client     float64 // ms
		withWarmup bool
	}{
		{"the same requests", 0, 500, 200, false},
		{"a few of the warm-up", 0, 520, 200, false},
		{"many of the warm-up", 100, 500, 240, true}, // 400 of 200 ms and 100 of 400
	} {
		server := seenBy(func(s *loadgen.Server) {
			s.Measured.Times["e2e"] = loadgen.ServerTiming{N: row.seen, Mean: 0.23}
			s.Whole.Times["e2e"] = loadgen.ServerTiming{N: 500, Mean: 0.239}
		})
		s := judged(t, metrics.Facts{Load: loadgen.Load{Users: 10}}, loadgen.Outcome{Server: server}, healthy(), loadgen.Transport{}, steadyRun(func(i int, r *loadgen.Record) {
			if i < row.warmup {
				shift(r, 200*ms)
				r.Phase = loadgen.Warmup
			}
		})...)
		v := s.Server
		if v.WithWarmup != row.withWarmup || v.Latency == nil || math.Abs(v.Latency.Client-row.client) > 1e-6 {
			t.Errorf("%s: %+v, with the warm-up %t; want %g ms, %t", row.name, v.Latency, v.WithWarmup, row.client, row.withWarmup)
		}
	}
}
