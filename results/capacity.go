package results

import (
	"errors"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"loadgen"
	"loadgen/metrics"
)

// The files of a search for capacity.
const (
	CapacityJSONName  = "capacity.json"
	CapacityCSVName   = "capacity.csv"
	SearchHistoryName = "search_history.json"
)

// IsProbe reports whether a run, by its directory below the batch's, is one of a
// search.
func IsProbe(dir string) bool { return strings.HasPrefix(filepath.ToSlash(dir), "search/") }

// SearchDir is the directory of all that belongs to the search for one of several
// cells, below its batch's.
func SearchDir(cell loadgen.Cell) string { return path.Join("search", cell.Dir) }

// ProbeDir is the directory of a search's run below its batch's: number counts
// the runs at the load from 1.
func ProbeDir(cell loadgen.Cell, number int) string {
	return cell.Dir + "/probe_" + RunLabel(number)[len("run_"):]
}

// A Capacity is what the search for one cell's capacity found: an entry of
// capacity.json.
type Capacity struct {
	Cell        loadgen.Cell    `json:"-"`
	Params      any             `json:"sweep_params"`
	Over        string          `json:"over"`
	Unit        string          `json:"unit"`
	Confidence  float64         `json:"confidence"`
	Precision   float64         `json:"precision"`
	Stopped     string          `json:"stopped"`
	MeasuredFor float64         `json:"measured_s"`
	Notes       []string        `json:"notes,omitempty"`
	Tiers       []CapacityTier  `json:"tiers"`
	Probes      []CapacityProbe `json:"probes"`

	From, To float64 `json:"-"` // of the search; 0 for no end
	Whole    bool    `json:"-"`
}

// A CapacityTier is the answer for a set of limits.
type CapacityTier struct {
	Name     string             `json:"name,omitempty"`
	Answer   string             `json:"answer"` // in words
	Status   string             `json:"status"`
	Limits   []metrics.Limit    `json:"limits"`
	Capacity metrics.Bound      `json:"capacity"`
	Lower    metrics.Bound      `json:"lower"`
	Upper    metrics.Bound      `json:"upper"`
	Binding  *metrics.Limit     `json:"binding,omitempty"`
	ByLimit  []metrics.Crossing `json:"by_limit"`
	// PassedAt and FailedAt are the bracket of the answers that were sure.
	PassedAt  metrics.Bound `json:"passed_at"`
	FailedAt  metrics.Bound `json:"failed_at"`
	Confirmed bool          `json:"confirmed"`
	RefutedAt metrics.Bound `json:"refuted_above_at"`
	// Certified: both, the interval is no wider than the precision, and no run contradicts it.
	Certified bool            `json:"certified"`
	BreaksAt  metrics.Bound   `json:"breaks_at"`
	Breaks    *metrics.Margin `json:"breaks,omitempty"`
	// OpenLoop is what an open loop at the rate of the capacity said; nil where none
	// was asked for, or made.
	OpenLoop *CapacityOpenLoop `json:"open_loop,omitempty"`
	RunDir   string            `json:"run_dir,omitempty"` // nearest to the capacity
	Tokens   *float64          `json:"output_token_throughput,omitempty"`
	Requests *float64          `json:"request_throughput,omitempty"`
	PerGPU   *float64          `json:"output_token_throughput_per_gpu,omitempty"`
}

// A CapacityOpenLoop is the run of an open loop at the rate that the users of a
// capacity had.
type CapacityOpenLoop struct {
	Rate    float64          `json:"request_rate"`
	Words   string           `json:"words"`
	Answer  string           `json:"answer"`         // pass, fail or undecided
	Void    string           `json:"void,omitempty"` // why it proves nothing
	Broken  *metrics.Margin  `json:"broken,omitempty"`
	Margins []metrics.Margin `json:"margins,omitempty"`
	Verdict metrics.Verdict  `json:"verdict,omitempty"`
	RunDir  string           `json:"run_dir"`
}

// A CapacityProbe is a run of the search with its evidence.
type CapacityProbe struct {
	Load     float64           `json:"load"`
	Number   int               `json:"number"`
	Dir      string            `json:"dir"`
	Purpose  string            `json:"purpose"` // bracket, refine, confirm or refute
	Void     string            `json:"void,omitempty"`
	Answers  map[string]string `json:"answers,omitempty"` // by tier
	Verdict  metrics.Verdict   `json:"verdict,omitempty"`
	Measured float64           `json:"measured_s"`
	Margins  []metrics.Margin  `json:"margins,omitempty"`
	Tokens   *float64          `json:"output_token_throughput,omitempty"`
	Requests *float64          `json:"request_throughput,omitempty"`
	PerUser  *float64          `json:"output_token_throughput_per_user,omitempty"`
	TTFTP95  *float64          `json:"time_to_first_token_p95,omitempty"`
	ITLP95   *float64          `json:"inter_token_latency_p95,omitempty"`
	PerGPU   *float64          `json:"output_token_throughput_per_gpu,omitempty"`
	// Pareto: no other sound probe has more tokens/s for each user and no fewer in
	// all, or the other way round.
	Pareto bool `json:"pareto_optimal"`
}

// WriteCapacities writes the files over the searches of a batch. Those of a
// search's own lie below search/ where there are several.
func (b *Batch) WriteCapacities(all []Capacity) error {
	if len(all) == 0 {
		return nil
	}
	for i := range all {
		params, err := sweepParams(all[i].Cell.Values)
		if err != nil {
			return failed(filepath.Join(b.Dir, CapacityJSONName), err)
		}
		all[i].Params = params
	}
	file := struct {
		Capacities []Capacity `json:"capacities"`
	}{all}
	errs := []error{
		b.keepJSON(filepath.Join(b.Dir, CapacityJSONName), file),
		b.keepFile(filepath.Join(b.Dir, CapacityCSVName), capacityCSV(all)),
	}
	for i := range all {
		dir := b.Dir
		if all[i].Cell.Dir != "" {
			dir = filepath.Join(b.Dir, filepath.FromSlash(SearchDir(all[i].Cell)))
			if err := makeDirs(b.Dir, dir); err != nil {
				return errors.Join(append(errs, failed(dir, err))...)
			}
		}
		errs = append(errs, b.keepJSON(filepath.Join(dir, SearchHistoryName), searchHistory(&all[i])))
	}
	return errors.Join(errs...)
}

// capacityCSV has a row for every probe: the curve over the load.
func capacityCSV(all []Capacity) []byte {
	var b strings.Builder
	b.WriteString("cell,load,number,purpose,answers,void,verdict,measured_s,output_token_throughput,request_throughput,output_token_throughput_per_user,output_token_throughput_per_gpu,time_to_first_token_p95,inter_token_latency_p95,pareto_optimal,dir\n")
	for _, c := range all {
		for _, p := range c.Probes {
			var answers []string
			for _, tier := range c.Tiers {
				if a := p.Answers[tier.Name]; a != "" {
					answers = append(answers, strings.TrimPrefix(tier.Name+"=", "=")+a)
				}
			}
			row := []string{
				csvText(c.Cell.Dir), csvNumber(&p.Load), strconv.Itoa(p.Number), p.Purpose, csvText(strings.Join(answers, " ")), csvText(p.Void), string(p.Verdict),
				csvNumber(&p.Measured), csvNumber(p.Tokens), csvNumber(p.Requests), csvNumber(p.PerUser), csvNumber(p.PerGPU), csvNumber(p.TTFTP95), csvNumber(p.ITLP95), strconv.FormatBool(p.Pareto), csvText(p.Dir),
			}
			b.WriteString(strings.Join(row, ",") + "\n")
		}
	}
	return []byte(b.String())
}

func csvNumber(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'g', 8, 64)
}

func csvText(s string) string { return string(appendField(nil, s)) }
