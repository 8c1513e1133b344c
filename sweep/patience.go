package sweep

import (
	"math"
	"time"

	"loadgen/metrics"
)

// A patience is how long a run of arrivals must be for its answer.
type patience struct {
	// overload: for an overload by the precision to break a limit. Where a share too
	// many arrive, waits grow by that share of the time that goes by.
	overload time.Duration
	// arrivals: for their rate to be off by no more than the precision, as a standard
	// error. Of n Poisson arrivals it is off by 1/√n.
	arrivals time.Duration
}

// patience is what the search has to have with a load. Users wait for their answers, and
// need none.
func (s *Search) patience(load Pacing) patience {
	longest := 0.0 // ms
	for _, l := range s.sought() {
		if !l.IsShare() && !l.AtLeast() {
			longest = max(longest, l.Bound)
		}
	}
	const weighed = 1 - metrics.SettleOpen // part of a run
	precision, gaps := float64(s.Precision), load.unevenness()
	p := patience{overload: seconds(longest / 1000 / precision / weighed)}
	if load.Rate > 0 {
		p.arrivals = seconds(gaps * gaps / (precision * precision) / load.Rate / weighed)
	}
	return p
}

// certain is by how much closer than the precision the rate of arrivals is to be known
// for a certificate.
const certain = 2

// lacks is the benchmark_duration whose longest look is long enough for a certificate of
// a load, in whole seconds; 0 where that of the search is.
func (c *course) lacks(load float64) time.Duration {
	p := c.search.probe(c.cell, load, false).Probe
	longest, need := p.Looks[len(p.Looks)-1], max(p.patience.overload, certain*certain*p.patience.arrivals)
	if !p.open() || longest >= need {
		return 0
	}
	first := float64(c.cell.Config.BenchmarkDuration) * float64(need) / float64(longest)
	return time.Duration(math.Ceil(first/float64(time.Second))) * time.Second
}

// longestPatience is longer than any run, and its multiples are no more than a Duration
// holds.
const longestPatience = 10 * 365 * 24 * time.Hour

func seconds(s float64) time.Duration {
	return time.Duration(min(s*float64(time.Second), float64(longestPatience)))
}
