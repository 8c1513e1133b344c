package archive

import (
	"maps"

	"loadgen"
	"loadgen/internal/secret"
	"loadgen/results"
	"loadgen/sweep"
)

// inputConfig says in AIPerf's terms what was asked of a run.
func inputConfig(run *sweep.Run) results.InputConfig {
	c := &run.Cell.Config
	extra := maps.Clone(c.ExtraInputs)
	if c.IgnoreEOS {
		if extra == nil {
			extra = map[string]any{}
		}
		extra["ignore_eos"] = true
	}
	return results.InputConfig{
		Models: results.InputModels{Items: []results.InputModel{{Name: c.Model}}},
		Endpoint: results.InputEndpoint{
			URLs: []string{secret.HideURL(c.URL)}, Type: c.EndpointType, Path: secret.HideURL(c.Endpoint), Timeout: c.RequestTimeout.Seconds(),
			Streaming: c.Streaming, LegacyMaxTokens: c.UseLegacyMaxTokens, Extra: extra,
		},
		Datasets:  []results.InputDataset{inputDataset(c)},
		Phases:    inputPhases(run),
		SLOs:      c.SLOs,
		Tokenizer: results.InputTokenizer{Name: run.Facts.Tokenizer},
	}
}

func inputDataset(c *sweep.Config) results.InputDataset {
	d := results.InputDataset{Name: "main", Type: "synthetic", Seed: c.RandomSeed}
	if c.InputFile != "" {
		d.Type, d.Path, d.Format = "file", c.InputFile, c.CustomDatasetType
		return d
	}
	if c.SequenceDistribution == "" {
		d.Prompts.Input = &results.MeanStdDev{Mean: c.PromptInputTokensMean, StdDev: c.PromptInputTokensStddev}
	}
	if c.PromptOutputTokensMean > 0 {
		d.Prompts.Output = &results.MeanStdDev{Mean: c.PromptOutputTokensMean, StdDev: c.PromptOutputTokensStddev}
	}
	if c.SessionTurnsMean > 1 {
		d.Turns = &results.MeanStdDev{Mean: c.SessionTurnsMean, StdDev: c.SessionTurnsStddev}
	}
	return d
}

// inputPhases returns the warm-up, where there is one, and the measured phase.
// The warm-up has the load of the measurement unless it was given its own.
func inputPhases(run *sweep.Run) []results.InputPhase {
	c, p := &run.Cell.Config, run.Cell.Pacing
	var phases []results.InputPhase
	if c.WarmsUp() {
		warm := results.InputPhase{
			Name: "warmup", Kind: "warmup", Type: "concurrency", Excluded: true,
			Requests: c.WarmupRequestCount, Duration: c.WarmupDuration.Seconds(), Concurrency: c.WarmupConcurrency,
		}
		if c.WarmupRequestRate > 0 {
			warm.Type, warm.Rate = c.RequestRateMode, c.WarmupRequestRate
		}
		phases = append(phases, warm)
	}
	measured := results.InputPhase{
		Name: "profiling", Kind: "profiling", Type: "concurrency",
		Requests: c.RequestCount, Duration: c.BenchmarkDuration.Seconds(),
		Concurrency: p.Concurrency,
	}
	if measured.Duration > 0 {
		measured.Grace = c.GracePeriod.Seconds() // AIPerf refuses one without a duration
	}
	switch p.Mode {
	case loadgen.OpenLoop:
		measured.Type, measured.Rate = c.RequestRateMode, run.Facts.Load.Rate
		if measured.Type == "gamma" {
			measured.Smoothness = p.Smoothness
		}
	case loadgen.UserPaced:
		measured.Type, measured.Users = "user_centric", p.Users
		measured.Rate = float64(p.Users) * c.UserRequestRate
	case loadgen.FixedSchedule:
		measured.Type = "fixed_schedule"
	}
	return append(phases, measured)
}

// prompts says what the prompts of a run can be trusted for.
func prompts(p *sweep.Prompts) results.Prompts {
	return results.Prompts{
		Sessions: p.Sessions, Requests: p.Requests, Inexact: p.Inexact, Repeats: p.Repeats, Reused: p.Reused,
		Template: p.Template, TemplateTokens: p.TemplateTokens,
	}
}
