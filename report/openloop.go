package report

import (
	"fmt"

	"loadgen/metrics"
	"loadgen/stats"
)

// An OpenLoop is what an open loop at the rate of a closed loop's capacity said.
type OpenLoop struct {
	Rate   float64
	Answer stats.Answer
	Void   string
	Broken *metrics.Margin
}

// OpenLoopWords say what an open loop at the rate of the capacity proves, and what
// not; empty where none was made.
func (c *Capacity) OpenLoopWords() string {
	o := c.OpenLoop
	if o == nil {
		return ""
	}
	subject := fmt.Sprintf("an open loop of the %s requests/s that %s sent, at random times,", loadNumber(o.Rate), c.loaded(c.Fit.Capacity))
	switch {
	case o.Void != "":
		return subject + " proves nothing: " + o.Void
	case o.Answer == stats.Pass:
		return subject + " keeps the limits, too"
	case o.Broken == nil:
		return subject + " keeps the limits, too, but not for sure"
	}
	sure := "breaks"
	if o.Answer != stats.Fail {
		sure = "seems to break"
	}
	return fmt.Sprintf("%s %s %s. That does not refute the answer: users wait for a slow answer before they ask again, arrivals do not, and queue up near saturation. For what the endpoint bears of arrivals search over request_rate",
		subject, sure, subjectOf(o.Broken.Limit))
}
