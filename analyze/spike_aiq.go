package analyze

import (
	"cmp"
	"slices"

	"loadgen"
)

// aiqIDs bounds the ids listed in all spikes together. The toolkit lists the
// square of the calls: of a million that overlap, more than any disk holds.
const aiqIDs = 10_000_000

// aiqSpikes is the toolkit's analysis: every segment at or above the
// threshold is a spike of its own, token means weigh a call once per spike,
// and a call without length is averaged under level 0.
func (v *view) aiqSpikes(out *SpikeReport, flight *Timeline, calls []*loadgen.Call) {
	order := make([]int32, 0, len(calls))
	for i, c := range calls {
		if c.Duration() > 0 {
			order = append(order, int32(i))
		}
	}
	byEnd := slices.Clone(order)
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(calls[a].Start, calls[b].Start) })
	slices.SortFunc(byEnd, func(a, b int32) int { return cmp.Compare(calls[a].End, calls[b].End) })
	var tokens, now tokenMean
	var active []int32 // started; the ended are dropped only when a list is due
	next, ended, listed := 0, 0, 0
	for _, s := range flight.Segments {
		for ; next < len(order) && calls[order[next]].Start < s.End; next++ {
			active = append(active, order[next])
			now.add(calls[order[next]], 1)
		}
		for ; ended < len(byEnd) && calls[byEnd[ended]].End <= s.Start; ended++ {
			now.add(calls[byEnd[ended]], -1)
		}
		if s.Level < out.Threshold {
			continue
		}
		spike := Spike{Start: v.absolute(s.Start), End: v.absolute(s.End), Concurrency: s.Level, Length: undefined, TimeAvg: undefined, Active: []string{}}
		tokens.merge(now)
		if listed += next - ended; listed <= aiqIDs {
			active = slices.DeleteFunc(active, func(i int32) bool { return calls[i].End <= s.Start })
			byExample := slices.Clone(active) // the toolkit lists them example by example
			slices.Sort(byExample)
			for _, i := range byExample {
				spike.Active = append(spike.Active, calls[i].ID)
			}
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
