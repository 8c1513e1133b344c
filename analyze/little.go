package analyze

import "loadgen"

// A Little is Little's law over a window: the mean number in flight L against
// completion rate λ times mean latency W of what completed in it.
type Little struct {
	InFlight Number `json:"time_avg_in_flight"`    // L, by the sweep
	Rate     Number `json:"completion_rate"`       // λ, 1/s
	Latency  Number `json:"mean_latency"`          // W, seconds
	Product  Number `json:"in_flight_from_little"` // λ·W
	Gap      Number `json:"relative_gap"`          // λW/L − 1
	Edge     Number `json:"edge_effect"`           // the part of L that calls cut by the window's edges explain
	Holds    bool   `json:"holds"`                 // the gap is no more than the edge effect
	From     Number `json:"window_start"`          // seconds since the trace's epoch
	To       Number `json:"window_end"`            // seconds since the trace's epoch
}

// LittleLaw checks the window [from, to] of a trace; with to ≤ from the whole
// of it, where the law is exact. A call counts where it completed.
func LittleLaw(tr *loadgen.Trace, from, to float64) Little {
	return newView(tr, Options{}).little(from, to)
}

func (v *view) little(from, to float64) Little {
	if to <= from {
		from, to = v.flight.Span()
	}
	out := Little{
		InFlight: undefined, Rate: undefined, Latency: undefined, Product: undefined, Gap: undefined, Edge: undefined,
		From: Number(from), To: Number(to),
	}
	window := to - from
	if window <= 0 || v.trace.Untimed {
		return out
	}
	completed, latency, edge := 0.0, 0.0, 0.0
	for _, c := range v.leaves {
		switch {
		case c.End <= from || c.Start >= to:
		case c.End <= to:
			completed++
			latency += c.Duration()
			edge += max(0, from-c.Start)
		default:
			edge += to - max(c.Start, from)
		}
	}
	out.InFlight = Number(v.flight.Area(from, to) / window)
	out.Rate = Number(completed / window)
	if completed == 0 || out.InFlight == 0 {
		return out
	}
	out.Latency = Number(latency / completed)
	out.Product = out.Rate * out.Latency
	out.Gap = out.Product/out.InFlight - 1
	out.Edge = Number(edge/window) / out.InFlight
	out.Holds = max(out.Gap, -out.Gap) <= out.Edge+1e-9
	return out
}
