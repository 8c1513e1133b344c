package metrics

import (
	"fmt"
	"slices"

	"loadgen"
	"loadgen/stats"
)

// A FrontierRun is a run that may lie on the Pareto frontier of its batch.
type FrontierRun struct {
	Values  []loadgen.Value // swept keys of its cell
	Summary *Summary        // nil for none; such a run lies on no frontier
}

// Speed returns what a run gives to each user and to each GPU, in tokens/s: the
// mean over its requests, and the rate under load. Where the GPUs are not known
// the second is that of all of them together.
func (s *Summary) Speed() (perUser, perGPU float64, ok bool) {
	m := s.Metric("output_token_throughput_per_user")
	rate, known := s.UnderLoad("output_token_throughput")
	if m == nil || m.Stats == nil || !known {
		return 0, 0, false
	}
	return m.Stats.Avg, rate / float64(max(1, s.GPUs)), true
}

// deployed are the swept keys that runs of one frontier may differ in: how hard
// the endpoint is loaded, and which it is. What is asked of it is the same.
var deployed = []string{"concurrency", "request_rate", "num_users", "user_request_rate", "gpus", "url", "model"}

// TokensPerJoule returns how many tokens of answers a joule of the GPUs' made, those
// of all vendors together: under load, where their power is known then, since the
// drain of a short run has the power and not the tokens. It is false where their
// energy is not known.
func (s *Summary) TokensPerJoule() (float64, bool) {
	rate, ok := s.UnderLoad("output_token_throughput")
	if power, known := s.power(); ok && known {
		return rate / power, true
	}
	each := 0.0 // joules per token
	for _, vendor := range gpuVendors {
		if m := s.Metric(vendor.prefix + TokensPerJoule); m != nil && m.Value != nil && *m.Value > 0 {
			each += 1 / *m.Value
		}
	}
	return 1 / each, each > 0
}

// power is the mean power of all GPUs under load, in watts; false where it is not
// known of each.
func (s *Summary) power() (watts float64, ok bool) {
	if s.Server == nil {
		return 0, false
	}
	for _, g := range s.Server.GPUs {
		w := g.Levels["power"].Avg
		if w <= 0 {
			return 0, false
		}
		watts += w
	}
	return watts, watts > 0
}

// Frontier reports of each run whether no other of the same work is better in one
// of tokens/s per user, tokens/s per GPU and tokens per joule, and no worse in the
// others. Energy counts where it is known of all runs of the work. A run that is
// not sound lies on none.
func Frontier(runs []FrontierRun) []bool {
	on := make([]bool, len(runs))
	points, at, unknown := map[string][][]float64{}, map[string][]int{}, map[string]bool{}
	for i, r := range runs {
		if r.Summary == nil || !r.Summary.Sound() {
			continue
		}
		if perUser, perGPU, ok := r.Summary.Speed(); ok {
			work := workOf(r.Values)
			perJoule, known := r.Summary.TokensPerJoule()
			unknown[work] = unknown[work] || !known
			points[work], at[work] = append(points[work], []float64{perUser, perGPU, perJoule}), append(at[work], i)
		}
	}
	for work, of := range points {
		better := []bool{true, true, true}
		if unknown[work] {
			for i := range of {
				of[i] = of[i][:2]
			}
			better = better[:2]
		}
		for _, i := range stats.Pareto(of, better) {
			on[at[work][i]] = true
		}
	}
	return on
}

// workOf names what is asked of an endpoint, by the swept values.
func workOf(values []loadgen.Value) string {
	name := ""
	for _, v := range values {
		if !slices.Contains(deployed, v.Key) {
			name += fmt.Sprintf("%s %v\n", v.Key, v.Value)
		}
	}
	return name
}

// Sound reports whether what was asked of the run became of it: it is not
// INVALID, and less than a tenth of its requests failed. Its figures may be weak
// in other ways.
func (s *Summary) Sound() bool {
	const mostFailed = 0.1
	return s.Validity.Verdict != Invalid && float64(s.Counts.Failed) < mostFailed*float64(s.Counts.Issued) &&
		!slices.ContainsFunc(s.Validity.Reasons, func(sign Sign) bool {
			return slices.Contains([]string{"failed", "local_failures", "cancelled", "cut_short", "overstated_rate", "stall"}, sign.Name)
		})
}
