package report_test

import (
	"testing"

	"loadgen/metrics"
	"loadgen/report"
	"loadgen/stats"
)

func TestWhatAnOpenLoopSays(t *testing.T) {
	broken := &metrics.Margin{Limit: metrics.Limit{Name: "time_to_first_token.p95", Bound: 500}}
	const said = "an open loop of the 24.1 requests/s that 46 users sent, at random times,"
	const beyond = " TTFT. That does not refute the answer: users wait for a slow answer before they ask again, arrivals do not, and queue up near saturation. For what the endpoint bears of arrivals search over request_rate"
	for want, o := range map[string]*report.OpenLoop{
		"":                              nil,
		said + " keeps the limits, too": {Rate: 24.1, Answer: stats.Pass},
		said + " keeps the limits, too, but not for sure":                {Rate: 24.1, Answer: stats.Undecided},
		said + " breaks" + beyond:                                        {Rate: 24.1, Answer: stats.Fail, Broken: broken},
		said + " seems to break" + beyond:                                {Rate: 24.1, Answer: stats.Undecided, Broken: broken},
		said + " proves nothing: INVALID: the generator had no CPU left": {Rate: 24.1, Answer: stats.Undecided, Void: "INVALID: the generator had no CPU left"},
	} {
		c := report.Capacity{Unit: "users", One: "user", Fit: metrics.Fit{Capacity: 46}, OpenLoop: o}
		if got := c.OpenLoopWords(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
