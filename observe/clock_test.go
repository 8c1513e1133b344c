package observe_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"loadgen/observe"
)

// A server answers two requests a second, each of a quarter of a second, until its
// clock is set, and says of its samples at what time they were.
func clocked(set time.Duration) page {
	return func(w http.ResponseWriter, _ *http.Request, n int, since time.Duration) {
		done := 2 * int(since.Seconds())
		sum, at := 0.25*float64(done), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(since)
		if since > 5*time.Second {
			// A request that began before, and ended behind it.
			sum, at = sum+set.Seconds(), at.Add(set)
		}
		ms := at.UnixMilli()
		fmt.Fprintf(w, "# TYPE vllm:e2e_request_latency_seconds histogram\nvllm:e2e_request_latency_seconds_bucket{le=\"+Inf\"} %d %d\nvllm:e2e_request_latency_seconds_sum %g %d\nvllm:e2e_request_latency_seconds_count %d %d\n",
			done, ms, sum, ms, done, ms)
		fmt.Fprintf(w, "# TYPE vllm:request_success_total counter\nvllm:request_success_total %d %d\n# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running 1 %d\n", done, ms, ms)
	}
}

// TestAServersClockThatIsSet bends neither the time line nor the counts, whatever the
// samples say of their times. What requests took by that clock is left out where it
// shows, and told.
func TestAServersClockThatIsSet(t *testing.T) {
	for name, c := range map[string]struct {
		set   time.Duration
		times int // how many nouns have times
		steps int
	}{
		"it goes on":            {0, 1, 0},
		"set back by an hour":   {-time.Hour, 0, 1},
		"set back by a century": {-100 * 365 * 24 * time.Hour, 0, 1},
		"set forward: seen from how long requests took from here": {time.Hour, 1, 0},
	} {
		r := observed(t, observe.Config{}, clocked(c.set), profile(10*time.Second))
		s := r.Server()
		e := r.Endpoints[0]
		for i := 1; i < len(e.Points); i++ {
			if step := e.Points[i].At - e.Points[i-1].At; step < 0 || step > 2*time.Second {
				t.Errorf("%s: %v between two points", name, step)
			}
		}
		if diff := cmp.Diff(map[string]float64{"requests": 20}, s.Loaded.Counts); diff != "" || e.Failed > 0 {
			t.Errorf("%s: %d failed, counts (-want +got):\n%s", name, e.Failed, diff)
		}
		if len(s.Loaded.Times) != c.times || s.Sources[0].ClockSteps != c.steps {
			t.Errorf("%s: times %v, %d steps; want %d and %d", name, s.Loaded.Times, s.Sources[0].ClockSteps, c.times, c.steps)
		}
	}
}
