package runner

import (
	"fmt"
	"math/rand/v2"
	"time"

	"loadgen"
	"loadgen/client"
	"loadgen/load"
	"loadgen/metrics"
	"loadgen/sweep"
	"loadgen/synth"
)

// payload returns what makes the bodies of a cell's requests.
func payload(c *sweep.Config) (*client.Payload, error) {
	return client.NewPayload(client.PayloadOptions{
		Model:           c.Model,
		Type:            client.EndpointType(c.EndpointType),
		Streaming:       c.Streaming,
		LegacyMaxTokens: c.UseLegacyMaxTokens,
		IgnoreEOS:       c.IgnoreEOS,
		MinTokens:       c.MinOutputTokens,
		Extra:           c.ExtraInputs,
	})
}

// Client returns the settings of the client of a cell whose configuration is c. endpoint is where the
// simulated endpoint listens, for a cell that asks for it.
func Client(c *sweep.Config, endpoint, version string, lookupEnv func(string) (string, bool)) (client.Config, error) {
	headers, err := c.ExpandedHeaders(lookupEnv)
	if err != nil {
		return client.Config{}, err
	}
	url := c.URL
	if c.Mock() {
		url = endpoint
	}
	key := ""
	if c.APIKeyEnvVar != "" {
		key, _ = lookupEnv(c.APIKeyEnvVar)
	}
	httpVersion := client.HTTPVersion(c.HTTPVersion)
	if c.HTTPVersion == "auto" {
		httpVersion = client.AnyHTTP
	}
	return client.Config{
		URL: url, Endpoint: c.Endpoint, Health: c.HealthCheckEndpoint, Model: c.Model,
		Type: client.EndpointType(c.EndpointType), Streaming: c.Streaming,
		APIKey: key, Headers: headers, Version: version,
		TLS: client.TLS{
			CAFile: c.TLS.CAFile, CertFile: c.TLS.CertFile, KeyFile: c.TLS.KeyFile,
			InsecureSkipVerify: c.TLS.InsecureSkipVerify,
		},
		RequestTimeout: c.RequestTimeout,
		Memory:         int64(c.ResponseMemoryLimit) << 20,
		Engine:         client.Engine(c.Transport),
		HTTP:           httpVersion,
	}, nil
}

// salt returns what sets the prompts of a run apart from those of other nights,
// or of other runs; empty for nothing.
func salt(c *sweep.Config, number int) string {
	switch c.CacheBust {
	case "batch":
		return string(c.CacheBustSalt)
	case "run":
		return fmt.Sprintf("%s, run %d", c.CacheBustSalt, max(1, number))
	}
	return ""
}

// spec returns what the requests of a phase of a cell's run consist of.
func spec(c *sweep.Config, seed loadgen.Seed, number int, phase loadgen.Phase) (synth.Spec, error) {
	s := synth.Spec{
		Seed:         seed,
		Salt:         salt(c, number),
		Phase:        phase,
		Completions:  c.EndpointType == "completions",
		Input:        synth.Normal{Mean: c.PromptInputTokensMean, Stddev: c.PromptInputTokensStddev},
		Output:       synth.Normal{Mean: c.PromptOutputTokensMean, Stddev: c.PromptOutputTokensStddev},
		Whole:        c.InputTokensIncludeTemplate,
		SystemTokens: c.SharedSystemPromptLength,
		Prefixes:     c.NumPrefixPrompts,
		PrefixTokens: c.PrefixPromptLength,
		Corpus:       c.PromptCorpus,
		Turns:        synth.Normal{Mean: c.SessionTurnsMean, Stddev: c.SessionTurnsStddev},
		Delay: synth.Normal{
			Mean:   float64(c.SessionTurnDelayMean) / float64(time.Millisecond),
			Stddev: float64(c.SessionTurnDelayStddev) / float64(time.Millisecond),
		},
		File: c.InputFile,
		// A run that goes on longer than its dataset uses it again, and says so.
		Wrap: !c.FixedSchedule,
	}
	if phase == loadgen.Profiling {
		s.Sessions = c.RequestCount // none is made that cannot be sent
	}
	var err error
	if s.History, err = synth.ParseHistory(c.ConversationHistory); err != nil {
		return s, err
	}
	if c.SequenceDistribution != "" {
		if s.Mixture, err = synth.ParseMixture(c.SequenceDistribution); err != nil {
			return s, err
		}
	}
	if c.InputFile != "" {
		if s.Format, err = synth.ParseFormat(c.CustomDatasetType); err != nil {
			return s, err
		}
		s.Turns, s.Delay = synth.Normal{}, synth.Normal{}
	}
	return s, nil
}

// plan returns what the measured phase is to do. times are those of the
// dataset, where it has any; probe is nil where the run is none.
func plan(c *sweep.Config, p sweep.Pacing, probe *sweep.Probe, seed loadgen.Seed, portion loadgen.Portion, times []time.Duration) (load.Plan, error) {
	out := load.Plan{
		Portion:         portion,
		Phase:           loadgen.Profiling,
		Concurrency:     p.Concurrency,
		ConcurrencyRamp: p.ConcurrencyRamp,
		Ramp:            max(p.ConcurrencyRamp, p.RateRamp),
		Requests:        c.RequestCount,
		Duration:        c.BenchmarkDuration,
		Grace:           c.GracePeriod,
		Stagger:         p.Load().Users > 0 && c.Start == sweep.Staggered,
		Seed:            seed,
	}
	if probe != nil {
		out.Looks = probe.Looks[:len(probe.Looks)-1]
	}
	switch p.Mode {
	case loadgen.FixedSchedule:
		if len(times) == 0 {
			return out, fmt.Errorf("fixed_schedule: %s has no times to send at", c.InputFile)
		}
		out.Schedule = load.Replay(times)
	case loadgen.UserPaced:
		out.Concurrency, out.UserGap = p.Users, p.UserGap
	case loadgen.OpenLoop:
		out.Schedule = load.Arrival{
			Rate: p.Rate, Ramp: p.RateRamp, Smoothness: p.Smoothness,
			Rand: func() *rand.Rand { return seed.Rand("arrivals") },
		}.Schedule()
	}
	return out, nil
}

// facts returns what is asked of a run, as far as its figures depend on it.
func facts(c *sweep.Config, p sweep.Pacing) metrics.Facts {
	f := metrics.Facts{
		Load:   p.Load(),
		Paused: p.Mode == loadgen.UserPaced || delays(c),
		SLOs:   c.SLOs,
		Limits: c.Validity,
		GPUs:   c.GPUs,

		GPUHourCost: c.CostPerGPUHour,

		ServerInput: c.UseServerTokenCount,
	}
	if c.Certify.On {
		f.CertifyBy, f.Certified = c.Certify.Rule, metrics.Certifiable(c.Budgets, c.Certify.Rule)
	}
	return f
}

// resent reports whether a batch may have sent the prompts of a run before it,
// which is the place-th.
func resent(b *sweep.Batch, ask sweep.Ask, place int) bool {
	c := &ask.Cell.Config
	return c.InputFile != "" && place > 1 || ask.Number > 1 && !b.VarySeed && c.CacheBust != "run"
}

// delays reports whether users may think between the turns of a session.
func delays(c *sweep.Config) bool {
	if c.InputFile != "" {
		format, err := synth.ParseFormat(c.CustomDatasetType)
		return err == nil && format.Delays()
	}
	return c.SessionTurnDelayMean > 0 || c.SessionTurnDelayStddev > 0
}

// flight returns how many requests a pacing may have in flight at once, as far
// as that is known before it runs.
func flight(p sweep.Pacing) int { return max(p.Concurrency, p.Users, p.WarmupConcurrency) }

// connections returns how many connections that takes. Over HTTP/2 requests
// share them, as many as the endpoint allows: 0, for not known.
func connections(c *sweep.Config, p sweep.Pacing) int {
	if client.HTTPVersion(c.HTTPVersion) == client.HTTP2 {
		return 0
	}
	return flight(p)
}
