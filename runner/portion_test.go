package runner_test

import (
	"context"
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"loadgen"
	"loadgen/runner"
	"loadgen/sweep"
)

var configurations = flag.Int("configurations", 60, "random configurations whose portions are held against the whole")

// A steady endpoint answers every request after the same time.
type steadily time.Duration

func (s steadily) Send(ctx context.Context, rec *loadgen.Record) {
	timer := time.NewTimer(time.Duration(s))
	defer timer.Stop()
	select {
	case <-timer.C:
		rec.Text = append(rec.Text, "an answer"...)
	case <-ctx.Done():
		rec.Failure = &loadgen.Failure{Kind: loadgen.FailCancelled}
	}
	rec.Took = time.Since(rec.Start)
}

// sent is what went out of a run: of every request what it was, when it was due
// where that is told by a schedule, and its number.
type sent struct {
	requests map[string]bool
	numbers  [2]map[int]bool
	issued   [2]int
	twice    []string
}

func newSent() *sent {
	return &sent{requests: map[string]bool{}, numbers: [2]map[int]bool{{}, {}}}
}

func (s *sent) add(r *loadgen.Record, due bool) {
	q := r.Request
	h := fnv.New64a()
	for _, m := range q.Messages {
		fmt.Fprintf(h, "%s\n%s\n", m.Role, m.Content)
	}
	_, _ = h.Write(q.Body)
	text := fmt.Sprintf("%v %s %s %s/%d %d+%d tokens, %d wanted, after %v, %x", r.Phase, q.ID, q.Correlation, q.Session, q.Turn,
		q.InputTokens, q.SharedTokens, q.MaxTokens, q.Delay, h.Sum64())
	if due {
		text += fmt.Sprintf(", due at %v", r.Due)
	}
	if s.requests[text] || s.numbers[r.Phase][r.Index] {
		s.twice = append(s.twice, fmt.Sprintf("number %d: %s", r.Index, text))
	}
	s.requests[text] = true
	s.numbers[r.Phase][r.Index] = true
	s.issued[r.Phase]++
}

// A drawn configuration, with what can be asked of its portions: whether all of
// them together are the same requests as the whole, which is so wherever the
// whole would be repeated by itself.
type drawn struct {
	text      string
	takes     time.Duration
	number    int
	exact     bool
	scheduled bool
	sessions  bool // users take them, whoever is free
	trace     bool // sets the times
	turns     int  // in a session, at most about
	drains    bool // the warm-up does, or else leaves open which are its last
	counted   int  // requests, where that ends the run
	users     int  // or slots under a ceiling
	workers   int
}

// draw makes a configuration. Users of a closed loop send sessions of one turn,
// or all of as many: else who is free first decides what is sent before the end.
func draw(rng *rand.Rand, dir string) drawn {
	d := drawn{takes: time.Duration(50+rng.IntN(400)) * time.Millisecond, exact: true}
	d.workers = 2 + rng.IntN(6)
	d.users = d.workers + rng.IntN(12)
	var b strings.Builder
	key := func(format string, args ...any) { fmt.Fprintf(&b, "  "+format+"\n", args...) }
	d.counted = d.users + rng.IntN(80)
	timed := rng.IntN(3) == 0
	d.turns = 1
	mode := rng.IntN(6)
	d.sessions, d.trace = mode < 3, mode == 5
	dataset := mode == 5 || rng.IntN(4) == 0
	switch mode {
	case 0, 1:
		key("concurrency: %d", d.users)
		timed = false // by time users who start apart end apart
	case 2:
		key("num_users: %d\n  user_request_rate: %g", d.users, []float64{1, 2, 0.5}[rng.IntN(3)])
		d.scheduled, timed = true, false
		d.takes = min(d.takes, 300*time.Millisecond) // each user keeps its pace
	default:
		d.scheduled = true
		if mode != 5 {
			key("request_rate: %g", 1+29*rng.Float64())
			key("request_rate_mode: %s", []string{"constant", "poisson", "gamma"}[rng.IntN(3)])
			if rng.IntN(3) == 0 {
				key("request_rate_ramp_duration: %d", 1+rng.IntN(5))
			}
		}
		if rng.IntN(3) == 0 {
			key("concurrency: %d", d.users)
			timed = false // who waits under a ceiling may be behind the end
			if rng.IntN(3) == 0 {
				key("concurrency_ramp_duration: %d", 1+rng.IntN(3))
			}
		} else {
			d.users = 0
		}
	}
	switch {
	case mode < 2 && rng.IntN(4) == 0:
		key("concurrency_ramp_duration: %d", 1+rng.IntN(3))
	case mode < 3:
		key("start: %s", []string{"staggered", "together"}[rng.IntN(2)])
	}
	switch {
	case dataset:
		path := filepath.Join(dir, fmt.Sprintf("%d.jsonl", rng.Uint64()))
		entries := d.counted
		if mode != 5 {
			entries = 3 + rng.IntN(40) // and again from the start
		}
		kind := write(path, entries, mode == 5, rng)
		key("input_file: %s\n  custom_dataset_type: %s", path, kind)
		if mode == 5 {
			key("fixed_schedule: true")
		}
	case timed || mode < 2 && rng.IntN(3) == 0:
		d.turns = 1 + rng.IntN(3)
		key("session_turns_mean: %d", d.turns)
		if timed && rng.IntN(2) == 0 {
			key("session_turns_stddev: 1\n  session_turn_delay_mean: 100\n  session_turn_delay_stddev: 30")
			d.turns++
		}
		d.exact = timed || d.turns == 1
	}
	if !dataset {
		key("prompt_input_tokens_mean: %d\n  prompt_input_tokens_stddev: %d", 3+rng.IntN(20), rng.IntN(5))
		if rng.IntN(3) == 0 {
			key("num_prefix_prompts: %d\n  prefix_prompt_length: 4", 1+rng.IntN(4))
		}
		if rng.IntN(4) == 0 {
			key("shared_system_prompt_length: 3")
		}
	}
	if timed {
		key("benchmark_duration: %d", 6+rng.IntN(5))
		d.counted = 0
	} else {
		key("request_count: %d", d.counted)
	}
	d.warmUp(rng, key)
	if !dataset {
		key("cache_bust: %s", []string{"none", "batch", "run"}[rng.IntN(3)])
	}
	d.number = rng.IntN(3)
	d.text = "batch_name: b\noutput_base_dir: unused\nbase_config:\n  model: m\n  url: http://localhost:1\n  grace_period: 60\n" +
		fmt.Sprintf("  random_seed: %d\n  prompt_output_tokens_mean: 5\n", rng.IntN(1000)) + b.String()
	return d
}

// warmUp draws a warm-up: none, and by number or time.
func (d *drawn) warmUp(rng *rand.Rand, key func(string, ...any)) {
	d.drains = d.trace || d.users > 0 // the warm-up of a trace is one of users; a ceiling may hold the last ones back
	switch rng.IntN(4) {
	case 0:
		key("warmup_request_count: %d", 1+rng.IntN(20))
		d.drains = d.drains || d.turns > 1 // where that of one worker goes on
		d.exact = d.exact && (d.sessions || d.turns == 1)
		d.scheduled = d.scheduled && !d.drains
	case 1:
		if d.scheduled {
			d.scheduled = !d.sessions // who is in the middle of his pace then takes another's session
			key("warmup_request_count: 0\n  warmup_duration: %d", 1+rng.IntN(3))
			break
		}
		fallthrough // users who start apart send, up to a moment, what depends on how far
	default:
		key("warmup_request_count: 0")
	}
}

// write makes a dataset.
func write(path string, entries int, timed bool, rng *rand.Rand) (kind string) {
	var b strings.Builder
	kind = []string{"mooncake_trace", "single_turn", "random_pool"}[rng.IntN(3)]
	if timed && kind == "random_pool" {
		kind = "single_turn"
	}
	at := 0
	for i := range entries {
		at += rng.IntN(300)
		stamp := ""
		if timed {
			stamp = fmt.Sprintf(`"timestamp": %d, `, at)
		}
		if kind == "mooncake_trace" {
			fmt.Fprintf(&b, `{%s"input_length": %d, "output_length": 3, "hash_ids": [%d]}`+"\n", stamp, 5+rng.IntN(30), rng.IntN(3))
		} else {
			fmt.Fprintf(&b, `{%s"text": "entry %d %s"}`+"\n", stamp, i, strings.Repeat("and so on ", rng.IntN(20)))
		}
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		panic(err)
	}
	return kind
}

// TestWorkersTogetherSendWhatOneWouldSend holds the portions of random runs
// against the whole, request by request.
func TestWorkersTogetherSendWhatOneWouldSend(t *testing.T) {
	words := vocabulary()
	dir := t.TempDir()
	exact, requests := 0, 0
	for i := range *configurations {
		rng := rand.New(rand.NewPCG(uint64(i), 15))
		d := draw(rng, dir)
		batch, err := sweep.Parse("b.yaml", []byte(d.text), sweep.Options{Salt: "abc"})
		if err != nil {
			t.Fatalf("%v in\n%s", err, d.text)
		}
		ask := sweep.Ask{Cell: &batch.Cells()[0], Number: d.number}
		var whole, union *sent
		synctest.Test(t, func(t *testing.T) {
			make := func(into *sent, portion loadgen.Portion) loadgen.Outcome {
				o, err := runner.Drive(t.Context(), batch, ask, portion, words, steadily(d.takes), func(r *loadgen.Record) { into.add(r, d.scheduled && (r.Phase == loadgen.Profiling || d.users == 0)) })
				if err != nil {
					t.Fatal(err)
				}
				return o
			}
			whole, union = newSent(), newSent()
			make(whole, loadgen.Portion{})
			most := 0
			for w := range d.workers {
				most += make(union, loadgen.Portion{Worker: w, Workers: d.workers}).MaxFlight
			}
			if d.users > 0 && most > d.users && !strings.Contains(d.text, "warmup_concurrency") {
				t.Errorf("%d: %d in flight, more than %d", i, most, d.users)
			}
		})
		d.compare(t, i, whole, union)
		requests += len(union.requests)
		if d.exact {
			exact++
		}
		if t.Failed() {
			t.Fatalf("configuration %d, %d workers, answers take %v:\n%s", i, d.workers, d.takes, d.text)
		}
	}
	t.Logf("%d configurations, %d of them repeatable by one worker, %d requests: no difference", *configurations, exact, requests)
}

func (d drawn) compare(t *testing.T, i int, whole, union *sent) {
	for _, twice := range union.twice {
		t.Errorf("%d: sent twice: %s", i, twice)
	}
	if d.counted > 0 && union.issued[loadgen.Profiling] != min(d.counted, whole.issued[loadgen.Profiling]) {
		t.Errorf("%d: %d requests, want %d", i, union.issued[loadgen.Profiling], d.counted)
	}
	if !d.exact {
		return
	}
	for text := range whole.requests {
		if !union.requests[text] && d.told(text) {
			t.Errorf("%d: not sent: %s", i, text)
		}
	}
	for text := range union.requests {
		if !whole.requests[text] && d.told(text) {
			t.Errorf("%d: one worker would not send: %s", i, text)
		}
	}
	for phase, numbers := range union.numbers {
		if d.turns > 1 && d.counted == 0 || d.drains && phase == int(loadgen.Warmup) {
			continue // each worker numbers its own without a gap
		}
		for n := range union.issued[phase] {
			if !numbers[n] {
				t.Errorf("%d: %v: no request has number %d of %d", i, loadgen.Phase(phase), n, union.issued[phase])
			}
		}
	}
}

// told reports whether it is certain that one worker sends a request: not which
// of several users is quick enough for the last place in a warm-up.
func (d drawn) told(text string) bool { return !d.drains || !strings.HasPrefix(text, "warmup") }
