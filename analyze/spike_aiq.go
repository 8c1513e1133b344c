package analyze

import (
	"cmp"
	"slices"

	"loadgen"
)

// aiqSpikes is the toolkit's analysis: every segment at or above the
// threshold is a spike of its own, token means weigh a call once per spike,
// and a call without length is averaged under level 0.
func (v *view) aiqSpikes(out *SpikeReport, flight *Timeline, calls []*loadgen.Call) {
	// A sweep over the segments keeps the active calls and drops the ended
	// only when they are to be listed: the work is that of the output, not of
	// spikes × calls.
	order := make([]int32, len(calls)) // by start
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(calls[a].Start, calls[b].Start) })
	var tokens tokenMean
	var active []int32
	next := 0
	for _, s := range flight.Segments {
		for ; next < len(order) && calls[order[next]].Start < s.End; next++ {
			if calls[order[next]].End > s.Start {
				active = append(active, order[next])
			}
		}
		if s.Level < out.Threshold {
			continue
		}
		active = slices.DeleteFunc(active, func(i int32) bool { return calls[i].End <= s.Start })
		spike := Spike{Start: v.absolute(s.Start), End: v.absolute(s.End), Concurrency: s.Level, Active: []string{}}
		listed := slices.Clone(active)
		slices.Sort(listed) // the toolkit lists them example by example
		for _, i := range listed {
			spike.Active = append(spike.Active, calls[i].ID)
			tokens.add(calls[i])
		}
		out.Intervals = append(out.Intervals, spike)
	}
	if out.Tokens = tokens.means(); !out.Tokens.Prompt.Defined() {
		out.Tokens.Prompt = 0
	}
	if !out.Tokens.Total.Defined() {
		out.Tokens.Total = 0
	}
	byLevel := map[int][]float64{}
	for _, c := range calls {
		level, took := 0, c.Duration()
		if took > 0 {
			level = flight.Level((c.Start + c.End) / 2)
		}
		byLevel[level] = append(byLevel[level], took)
	}
	out.Latency = Object[Number]{}
	for _, l := range latencyAt(byLevel) {
		out.Latency = append(out.Latency, levelObject([]LevelTime{{l.Concurrency, float64(l.Latency)}})...)
	}
}
