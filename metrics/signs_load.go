package metrics

import (
	"fmt"
	"math"
	"time"

	"loadgen"
)

// judgeOutcome holds what became of the requests against what a measurement
// needs.
func (c *Collector) judgeOutcome(j *judge, s *Summary, o loadgen.Outcome) {
	t, n := &c.profiling, s.Counts
	if n.OK == 0 {
		j.sign("nothing_measured", 1)
		j.say("nothing_measured", nothing(n))
	}
	j.share("lost", float64(n.Lost), float64(n.Issued))
	local := t.failedBy(loadgen.FailLocal)
	j.share("local_failures", float64(local), float64(n.OK+n.Failed))
	j.share("failed", float64(n.Failed-local), float64(n.OK+n.Failed))
	if n.Failed > 0 && j.signs["failed"].Verdict == Valid && j.signs["local_failures"].Verdict == Valid {
		j.note("%d of %d requests failed", n.Failed, n.OK+n.Failed)
	}
	for _, text := range o.Notes {
		j.note("%s", text)
	}
	switch {
	case o.Cancelled:
		j.note("ended by the user: the figures are of a part of the run")
	case o.Cut != "":
		j.cut(o.Cut)
	default:
		j.share("cancelled", float64(n.Cancelled), float64(n.Issued))
	}
	c.judgeHeadline(j, s, o)
}

// cut says that a run was ended before its time, not by its user.
func (j *judge) cut(why string) {
	j.sign("cut_short", 1)
	j.say("cut_short", "ended before its time: "+why+"; the figures are of a part of the run")
}

// CutShort judges the run again for a failure that came to light after its
// summary was made.
func (s *Summary) CutShort(why string) {
	limits, _ := thresholds(nil)
	j := &judge{limits: limits, signs: map[string]Sign{}, notes: s.Validity.Notes}
	for _, sign := range s.Validity.Signs {
		j.signs[sign.Name] = sign
	}
	j.cut(why)
	s.Validity, s.Cancelled = j.validity(), true
}

// failedBy counts the failures of a kind.
func (t *tally) failedBy(kind loadgen.FailureKind) int {
	n := 0
	for key, e := range t.errors {
		if key.kind == kind {
			n += e.Count
		}
	}
	return n
}

// nothing says why a run measured nothing.
func nothing(n Counts) string {
	if n.Issued == 0 {
		return "nothing was measured: no request was sent"
	}
	return fmt.Sprintf("nothing was measured: of %d requests none succeeded, %d failed, %d were cancelled", n.Issued, n.Failed, n.Cancelled)
}

// judgeHeadline holds AIPerf's throughput, which ends with the last success,
// against the time in which requests were wanted: what an endpoint that has died
// made before is not what it makes.
func (c *Collector) judgeHeadline(j *judge, s *Summary, o loadgen.Outcome) {
	t := &c.profiling
	claimed := s.Metric("request_throughput")
	from, to := t.firstSent, min(t.lastEnd, t.until(o))
	if claimed == nil || to <= from {
		return
	}
	in := t.amounts(from, to)
	length := (to - from).Seconds()
	if in.success <= 0 {
		return
	}
	// As many requests as are in flight cross the ends, which AIPerf's figure
	// has wholly.
	edge := in.inFlight / length / float64(t.ok)
	over := *claimed.Value*length/in.success - 1
	j.decide("overstated_rate", max(over-edge, 0), t.ok >= conclusiveCount)
	j.say("overstated_rate", fmt.Sprintf("request_throughput is %.3g requests/s by AIPerf's rule, which ends with the last success; under load it was %.3g", *claimed.Value, in.success/length))
}

// keptPace is the share of their rate below which users do not keep their pace.
const keptPace = 0.95

// judgeLoad holds the load that was offered against the one asked for.
func (c *Collector) judgeLoad(j *judge, s *Summary, o loadgen.Outcome) {
	t := &c.profiling
	switch {
	case s.Rate == nil:
	case !c.facts.Load.Scheduled():
		if s.Rate.Achieved < keptPace*s.Rate.Asked {
			j.note("users could not keep their pace: %.3g of %.3g requests/s; a request that is due before the last one has ended follows it at once", s.Rate.Achieved, s.Rate.Asked)
		}
	case s.Rate.CeilingBound:
		j.note("ceiling bound: not an open loop; %d of %d requests were held back by the ceiling of %d in flight", t.held, t.issued(), c.facts.Load.Ceiling)
		if o.Missed > 0 {
			j.note("%d slots of the schedule were still waiting for the ceiling at the end", o.Missed)
		}
	default:
		j.share("missed", float64(o.Missed), float64(o.Missed+max(o.Sessions, t.pace.sessions)))
		due, sent := t.pace.lastDue-t.pace.firstDue, t.pace.lastSent-t.pace.firstSent
		if due > 0 {
			j.decide("rate_shortfall", j.excess(millis(sent-due))/millis(due), due.Seconds() >= conclusiveTime)
		}
	}
	c.judgeUsers(j, o)
	away := c.awayShare(j, o)
	if c.facts.closedLoop() && c.facts.Load.Users > 0 && !c.facts.Paused {
		if lack, ok := t.shortfall(float64(c.facts.Load.Users), o); ok {
			j.sign("in_flight_shortfall", max(lack-away, 0))
		}
		if t.inFlight > 0 {
			j.decide("turnaround", float64(t.inGenerator)/float64(t.inFlight), t.ok >= conclusiveCount)
		}
	}
	if w := s.Steady; w != nil && w.Little != nil && w.To-w.From >= 2*t.longestFlight() {
		j.sign("littles_law", max(math.Abs(w.Little.Ratio-1)-t.littleError(w), 0))
	}
}

// judgeUsers holds the users who had started when the run was over against those
// asked for.
func (c *Collector) judgeUsers(j *judge, o loadgen.Outcome) {
	users := c.facts.Load.Users
	if users == 0 || o.MaxFlight == 0 {
		return // not a closed loop, or an outcome that does not say
	}
	started := min(max(c.profiling.users.n, o.MaxFlight), users)
	j.sign("unstarted", 1-float64(started)/float64(users))
	j.say("unstarted", fmt.Sprintf("only %d of %d users had started when the run ended: its figures are those of a smaller load than the one asked for; warm up, measure for longer, or write start: together", started, users))
}

// awayShare is the share of their time for which users stayed away after failures
// while requests were started.
func (c *Collector) awayShare(j *judge, o loadgen.Outcome) float64 {
	t, users := &c.profiling, c.facts.Load.Users
	from, to := t.sending(o)
	if users == 0 || to <= from {
		return 0
	}
	width := t.series.width
	begin, end := time.Duration(from)*width, time.Duration(to)*width
	share := t.absent.total(begin, end, t.until(o)) / (end - begin).Seconds() / float64(users)
	if share > j.limits["in_flight_shortfall"].Degraded {
		j.note("users stayed away for %.0f %% of their time after failures, as the endpoint asked or as users do who get errors: of %d no more than %.3g could be in flight on average, a smaller load than the one asked for",
			share*100, users, float64(users)*(1-share))
	}
	return share
}

// longestFlight is the time in flight of the slowest request, in seconds: what
// crosses the ends of a window that is not much longer decides its figures.
func (t *tally) longestFlight() float64 {
	longest := t.dists[RequestLatency].moments().max / 1e3
	for s := range t.crossing.all() {
		longest = max(longest, (s.to - s.from).Seconds())
	}
	return longest
}

// littleError is how far Little's ratio of a window may be from 1 though nothing
// is wrong: three standard errors of the mean time in flight, or what requests
// that cross an end bring by being longer or shorter than the mean, but no more
// than the one request per user that can cross each end.
func (t *tally) littleError(w *Window) float64 {
	width := t.series.width.Seconds()
	sum := t.series.sum(int(w.From/width+0.5), int(w.To/width+0.5))
	n, mean := float64(sum.sent), sum.flight.Seconds()/float64(sum.sent)
	chance := 3 * math.Sqrt(max(sum.squares/n-mean*mean, 0)/n) / mean
	cross := 2 * math.Max(w.InFlight, 1) / math.Max(float64(w.OK), 1)
	return max(chance, min(t.uneven(w, mean), cross))
}

// uneven is what the requests that cross an end of a window add to the time in
// flight, or take from it, by not being of mean length, as a share of it. Without
// samples it is not known, and has no bound.
func (t *tally) uneven(w *Window, mean float64) float64 {
	if t.issued() > t.samples.len() {
		return math.Inf(1)
	}
	sum := 0.0
	for _, l := range []*list[sample]{&t.samples, &t.crossing} {
		for s := range l.all() {
			from, to := s.from.Seconds(), s.to.Seconds()
			inside := min(to, w.To) - max(from, w.From)
			if length := to - from; inside > 0 && inside < length {
				part := inside / length
				if from >= w.From {
					part = 1 - part
				}
				sum += part * math.Abs(length-mean)
			}
		}
	}
	return sum / (w.InFlight * (w.To - w.From))
}

// shortfall returns what share of the users was missing in flight, from the
// first time in the run that all had been started until no more were. It is
// judged only where that lasted for a request's latency at least.
func (t *tally) shortfall(users float64, o loadgen.Outcome) (float64, bool) {
	width := t.series.width
	level := t.level()
	from, to := t.sending(o)
	if to-from < 10 || t.ok == 0 {
		return 0, false
	}
	mean := Mean(level[from:to])
	if float64(to-from)*millis(width) < t.dists[RequestLatency].moments().sum/float64(t.ok) {
		return 0, false
	}
	return max(1-mean/users, 0), true
}
