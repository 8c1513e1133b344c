package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"loadgen/fleet"
	"loadgen/sweep"
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

	Print         bool     `help:"Print the batch file, and what is wrong with it; run nothing."`
	Set           []string `sep:"none" placeholder:"PATH=VALUE" help:"Override one value of the batch file (repeatable)."`
	OutputBaseDir string   `placeholder:"DIR" default:"loadgen_results" help:"Write results below here."`
	UI            string   `name:"ui" enum:"auto,live,plain,none" default:"auto" help:"Progress on stderr: ${enum}."`
	Verbose       bool     `short:"v" help:"Log more."`
	NoCheck       bool     `help:"Do not ask the service whether it is there before running."`
	AllowInvalid  bool     `help:"Exit 0 even if nothing could be measured truthfully."`
	Offline       bool     `help:"Never ask the hub for a tokenizer."`
	fleet.Flags
}

func (c *capacityCommand) Run(ctx context.Context, std streams) error {
	text, err := c.batchFile()
	if err != nil {
		return usageError{err}
	}
	if _, err := fmt.Fprintln(std.out, text); err != nil {
		return err
	}
	std.in = strings.NewReader(text)
	run := runCommand{
		ConfigFile: "-", Set: c.Set, UI: c.UI, Verbose: c.Verbose, NoCheck: c.NoCheck, AllowInvalid: c.AllowInvalid, Offline: c.Offline,
		Flags: c.Flags,
	}
	if c.Print {
		_, _, err := run.load(std.in) // what no run would take is told here, too
		return err
	}
	return run.Run(ctx, std)
}

// batchFile is the file that the flags stand for.
func (c *capacityCommand) batchFile() (string, error) {
	return sweep.CapacityQuestion{
		URL: c.URL, Set: len(c.Set) > 0, Model: c.Model, Tokenizer: c.Tokenizer, APIKeyEnvVar: c.APIKeyEnvVar, SLOs: c.SLO,
		Over: c.Over, From: c.From, To: c.To, Precision: c.Precision, TimeLimit: c.TimeLimit,
		Duration: c.Duration, Warmup: c.Warmup, InputTokens: c.InputTokens, OutputTokens: c.OutputTokens, OutputBaseDir: c.OutputBaseDir,
	}.BatchFile()
}
