package sweep

import (
	"fmt"
	"math"
	"time"

	"loadgen"
)

// Pacing is how a cell loads the endpoint: what was written, resolved.
type Pacing struct {
	Mode loadgen.LoadMode
	// Concurrency is the number of users of a closed loop, and with a rate or a
	// trace the ceiling of requests in flight, 0 for none.
	Concurrency int
	// Rate is in sessions per second, in an open loop; 0 where Auto is set.
	Rate float64
	// Auto asks for Rate = WarmupConcurrency ÷ mean latency of a warm-up that
	// runs as a closed loop of WarmupConcurrency users: Little's law.
	Auto              bool
	WarmupConcurrency int
	// Smoothness is the shape k of gamma-distributed gaps, 1 for Poisson
	// arrivals, 0 for constant gaps; in an open loop.
	Smoothness float64
	// Users send one request every UserGap each; when user-paced.
	Users   int
	UserGap time.Duration
	// ConcurrencyRamp and RateRamp are the times in which the two climb.
	ConcurrencyRamp, RateRamp time.Duration
}

// Load is the pacing as it is told to whoever reads of a run.
func (p Pacing) Load() loadgen.Load {
	l := loadgen.Load{Mode: p.Mode, Rate: p.Rate, Smoothness: p.Smoothness, Ramp: max(p.ConcurrencyRamp, p.RateRamp)}
	switch p.Mode {
	case loadgen.ClosedLoop:
		l.Users = p.Concurrency
	case loadgen.UserPaced:
		l.Users, l.Rate = p.Users, float64(p.Users)/p.UserGap.Seconds()
	default:
		l.Ceiling = p.Concurrency
	}
	return l
}

// Pacing resolves the keys that say when requests are due.
func (c *Config) Pacing() Pacing {
	p := Pacing{Concurrency: c.Concurrency, ConcurrencyRamp: c.ConcurrencyRampDuration}
	switch {
	case c.FixedSchedule:
		p.Mode = loadgen.FixedSchedule
	case c.UserRequestRate > 0:
		p.Mode = loadgen.UserPaced
		p.Users, p.Concurrency = c.NumUsers, 0
		p.UserGap = time.Duration(float64(time.Second) / c.UserRequestRate)
	case c.RequestRate.Auto:
		p.Mode = loadgen.OpenLoop
		p.Auto, p.WarmupConcurrency, p.Concurrency = true, c.Concurrency, 0
		p.Smoothness, p.RateRamp = c.Smoothness(), c.RequestRateRampDuration
	case c.RequestRate.PerSecond > 0:
		p.Mode = loadgen.OpenLoop
		p.Rate = c.RequestRate.PerSecond
		p.Smoothness, p.RateRamp = c.Smoothness(), c.RequestRateRampDuration
	}
	return p
}

// Smoothness returns the shape of the gaps by request_rate_mode.
func (c *Config) Smoothness() float64 {
	switch c.RequestRateMode {
	case "gamma":
		return c.RequestRateSmoothness
	case "poisson":
		return 1
	}
	return 0
}

// String says in a few words how the endpoint is loaded.
func (p Pacing) String() string {
	ceiling := ""
	if p.Concurrency > 0 {
		ceiling = fmt.Sprintf(", at most %d in flight", p.Concurrency)
	}
	switch p.Mode {
	case loadgen.FixedSchedule:
		return "at the times of the trace" + ceiling
	case loadgen.UserPaced:
		return fmt.Sprintf("%d users, each sending every %v", p.Users, p.UserGap)
	case loadgen.OpenLoop:
		rate := fmt.Sprintf("%g requests/s", p.Rate)
		if p.Auto {
			rate = fmt.Sprintf("as many requests/s as %d users made in the warm-up", p.WarmupConcurrency)
		}
		switch p.Smoothness {
		case 0:
			rate += " at constant gaps"
		case 1:
			rate += " at Poisson arrivals"
		default:
			rate += fmt.Sprintf(" at gamma gaps of shape %g", p.Smoothness)
		}
		return rate + ceiling
	}
	return fmt.Sprintf("closed loop of %d users", p.Concurrency)
}

// unevenness is the coefficient of variation of the gaps between arrivals.
func (p Pacing) unevenness() float64 {
	if p.Mode != loadgen.OpenLoop || p.Smoothness <= 0 {
		return 0
	}
	return 1 / math.Sqrt(p.Smoothness)
}
