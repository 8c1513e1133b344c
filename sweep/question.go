package sweep

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"loadgen/metrics"
)

// A CapacityQuestion is a search for one endpoint's capacity that needs no batch
// file of its own.
type CapacityQuestion struct {
	URL, Model, Tokenizer, APIKeyEnvVar string // the last two may be empty
	// SLOs are the limits to keep, in the words of [metrics.ParseSLO].
	SLOs []string

	Over      string        // what is varied
	From, To  float64       // loads; no end for 0
	Precision string        // such as 5%
	TimeLimit time.Duration // of all measurement; none for 0
	Duration  time.Duration // of the first look at a load
	Warmup    int           // requests

	InputTokens, OutputTokens int  // means
	Set                       bool // some values are overridden beside the file
	OutputBaseDir             string
}

// BatchFile is the batch file that the question stands for.
func (q CapacityQuestion) BatchFile() (string, error) {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	again := ""
	if q.Set {
		again = ", with the same --set"
	}
	line("# loadgen --config-file FILE runs this again%s.", again)
	line("batch_name: capacity")
	line("output_base_dir: %s", quote(q.OutputBaseDir))
	line("base_config:")
	line("  model: %s", quote(q.Model))
	if q.Tokenizer != "" {
		line("  tokenizer: %s", quote(q.Tokenizer))
	}
	line("  url: %s", quote(q.URL))
	if q.APIKeyEnvVar != "" {
		line("  api_key_env_var: %s", quote(q.APIKeyEnvVar))
	}
	line("  streaming: true")
	line("  warmup_request_count: %d", q.Warmup)
	line("  benchmark_duration: %s", plainNumber(q.Duration.Seconds()))
	line("  prompt_input_tokens_mean: %d", q.InputTokens)
	line("  prompt_output_tokens_mean: %d", q.OutputTokens)
	line("search:")
	line("  over: %s", q.Over)
	line("  from: %s", plainNumber(q.From))
	if q.To > 0 {
		line("  to: %s", plainNumber(q.To))
	}
	line("  precision: %s", quote(q.Precision))
	if q.TimeLimit > 0 {
		line("  time_limit: %v", q.TimeLimit)
	}
	line("  slos:")
	for _, slo := range q.SLOs {
		l, err := metrics.ParseSLO(slo)
		if err != nil {
			return "", fmt.Errorf("--slo %s: %w", slo, err)
		}
		line("    %s: %s", l.Name, plainNumber(l.Bound))
	}
	return b.String(), nil
}

// quote writes a text as YAML and JSON both have it.
func quote(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		return strconv.Quote(text)
	}
	return string(quoted)
}

func plainNumber(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
