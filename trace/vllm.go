package trace

import (
	"bufio"
	"errors"
	"math"
	"strconv"
	"strings"

	"loadgen/internal/jsonstream"

	"loadgen"
)

// The vllmColumns of a bench result are arrays with an element per request.
type vllmColumns struct {
	inputs, outputs     []float64
	ttfts, starts, e2el []float64
	gaps                []float64 // the sum of each request's itls
	texts, errors       []string
}

// readVLLM reads the JSON of vLLM's bench serve. Older versions record no
// start times: then calls have durations only.
func readVLLM(r *bufio.Reader, b *builder) error {
	b.source = "vllm"
	return elements(r, func(s jsonstream.Stream) error {
		var cols vllmColumns
		model := ""
		err := s.Object(func(key string) error {
			switch key {
			case "model_id":
				return s.Decode(&model)
			case "input_lens":
				return s.Decode(&cols.inputs)
			case "output_lens":
				return s.Decode(&cols.outputs)
			case "ttfts":
				return s.Decode(&cols.ttfts)
			case "start_times":
				return s.Decode(&cols.starts)
			case "e2els":
				return s.Decode(&cols.e2el)
			case "generated_texts":
				return s.Decode(&cols.texts)
			case "errors":
				return s.Decode(&cols.errors)
			case "itls":
				return s.Array(func() error {
					var gaps []float64
					if err := s.Decode(&gaps); err != nil {
						return err
					}
					total := 0.0
					for _, g := range gaps {
						total += g
					}
					cols.gaps = append(cols.gaps, total)
					return nil
				})
			default:
				return s.Skip()
			}
		})
		if err != nil {
			return err
		}
		return b.vllmCalls(&cols, model)
	})
}

func (b *builder) vllmCalls(cols *vllmColumns, model string) error {
	n := len(cols.ttfts)
	if n == 0 {
		return errors.New("the bench result carries no requests, only sums: run vllm bench serve with --save-detailed")
	}
	if len(cols.starts) < n {
		b.untimed = true
		b.missing = append(b.missing, "no start times: concurrency, spikes and throughput are unknown; a newer vLLM records start_times")
	}
	at := func(column []float64, i int) float64 {
		if i < len(column) {
			return column[i]
		}
		return math.NaN()
	}
	for i := range n {
		c := newCall()
		c.Example = b.sessionOf("request " + strconv.Itoa(len(b.calls)))
		c.ID = "request_" + strconv.Itoa(len(b.calls))
		c.Kind, c.Name = loadgen.LLMCall, model
		if c.Start = at(cols.starts, i); math.IsNaN(c.Start) {
			c.Start = 0
		}
		took := at(cols.e2el, i)
		if math.IsNaN(took) {
			took = cols.ttfts[i] + at(cols.gaps, i)
		}
		c.End = c.Start + took
		if i < len(cols.errors) && cols.errors[i] != "" {
			c.Failed, c.Error = true, errorLine(cols.errors[i])
		} else {
			c.FirstToken = c.Start + cols.ttfts[i]
		}
		if v := at(cols.inputs, i); v >= 0 && v < 1<<40 {
			c.PromptTokens = int(v)
		}
		if v := at(cols.outputs, i); v >= 0 && v < 1<<40 {
			c.CompletionTokens = int(v)
		}
		if i < len(cols.texts) {
			c.Output = cols.texts[i]
		}
		b.add(c)
	}
	return nil
}

// errorLine is what names an error: the last line of a Python traceback.
func errorLine(s string) string {
	const most = 200
	s = strings.TrimSpace(s)
	s = s[strings.LastIndexByte(s, '\n')+1:]
	return s[:min(len(s), most)]
}
