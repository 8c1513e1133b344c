package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"loadgen/metrics"
)

// capacityCommand searches without a batch file: it writes the one that it
// stands for, and runs it.
type capacityCommand struct {
	URL   string   `name:"url" required:"" help:"The service's base, such as http://localhost:8000; mock:// for the simulated endpoint."`
	Model string   `required:"" help:"The model."`
	SLO   []string `name:"slo" required:"" sep:"none" placeholder:"LIMIT" help:"A limit to keep, such as 'ttft.p95<500ms', 'itl.p95<40ms', 'error_rate<1%' (repeatable)."`

	Over         string        `enum:"concurrency,request_rate" default:"concurrency" help:"What to vary: ${enum}."`
	From         float64       `default:"1" help:"The first load."`
	To           float64       `placeholder:"LOAD" help:"The greatest load to try; without it there is none."`
	Precision    string        `default:"5%" help:"How close to come."`
	TimeLimit    time.Duration `placeholder:"45m" help:"End after so much measurement."`
	Duration     time.Duration `default:"60s" help:"The first look at a load; the last comes after four times that."`
	Warmup       int           `default:"10" help:"Requests before each measurement."`
	InputTokens  int           `default:"550" help:"Mean length of the prompts."`
	OutputTokens int           `default:"128" help:"Mean length of the answers that are asked for."`
	Tokenizer    string        `help:"A Hugging Face name or a local path; by default the model's."`
	APIKeyEnvVar string        `name:"api-key-env-var" placeholder:"NAME" help:"The environment variable that holds the API key."`

	Print         bool     `help:"Print the batch file and run nothing."`
	Set           []string `sep:"none" placeholder:"PATH=VALUE" help:"Override one value of the batch file (repeatable)."`
	OutputBaseDir string   `placeholder:"DIR" default:"loadgen_results" help:"Write results below here."`
	UI            string   `name:"ui" enum:"auto,live,plain,none" default:"auto" help:"Progress on stderr: ${enum}."`
	Verbose       bool     `short:"v" help:"Log more."`
	NoCheck       bool     `help:"Do not ask the service whether it is there before running."`
	AllowInvalid  bool     `help:"Exit 0 even if nothing could be measured truthfully."`
	Offline       bool     `help:"Never ask the hub for a tokenizer."`
}

func (c *capacityCommand) Run(ctx context.Context, std streams) error {
	text, err := c.batchFile()
	if err != nil {
		return usageError{err}
	}
	if _, err := fmt.Fprintln(std.out, text); err != nil || c.Print {
		return err
	}
	std.in = strings.NewReader(text)
	run := runCommand{
		ConfigFile: "-", Set: c.Set, UI: c.UI, Verbose: c.Verbose, NoCheck: c.NoCheck, AllowInvalid: c.AllowInvalid, Offline: c.Offline,
	}
	return run.Run(ctx, std)
}

// batchFile is the file that the flags stand for.
func (c *capacityCommand) batchFile() (string, error) {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# loadgen --config-file FILE runs this again.")
	line("batch_name: capacity")
	line("output_base_dir: %s", quote(c.OutputBaseDir))
	line("base_config:")
	line("  model: %s", quote(c.Model))
	if c.Tokenizer != "" {
		line("  tokenizer: %s", quote(c.Tokenizer))
	}
	line("  url: %s", quote(c.URL))
	if c.APIKeyEnvVar != "" {
		line("  api_key_env_var: %s", quote(c.APIKeyEnvVar))
	}
	line("  streaming: true")
	line("  warmup_request_count: %d", c.Warmup)
	line("  benchmark_duration: %s", plainNumber(c.Duration.Seconds()))
	line("  prompt_input_tokens_mean: %d", c.InputTokens)
	line("  prompt_output_tokens_mean: %d", c.OutputTokens)
	line("search:")
	line("  over: %s", c.Over)
	line("  from: %s", plainNumber(c.From))
	if c.To > 0 {
		line("  to: %s", plainNumber(c.To))
	}
	line("  precision: %s", quote(c.Precision))
	if c.TimeLimit > 0 {
		line("  time_limit: %v", c.TimeLimit)
	}
	line("  slos:")
	for _, slo := range c.SLO {
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
