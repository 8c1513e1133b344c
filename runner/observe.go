package runner

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"loadgen"
	"loadgen/client"
	"loadgen/observe"
	"loadgen/sweep"
)

// watchServer begins to observe the server of a run, where that is asked for, and
// waits a moment for its first answer. Nil observes nothing.
func (r *Runner) watchServer(ctx context.Context, c *sweep.Config, settings client.Config, inFlight func() int) (*observe.Observer, error) {
	if !c.Observes() || r.Portion.Worker > 0 { // the first worker asks for all
		return nil, nil
	}
	config := observe.Config{
		Interval: c.ServerMetricsInterval, Version: r.Version, Dial: r.Dial, Secrets: settings.Secrets(), InFlight: inFlight,
	}
	for i, place := range append(append([]string{}, c.ServerMetrics...), c.GPUMetrics...) {
		t, err := target(place, settings)
		if err != nil {
			return nil, err
		}
		t.GPU = i >= len(c.ServerMetrics)
		config.Targets = append(config.Targets, t)
		config.Secrets.AddURL(place)
	}
	return observe.Start(ctx, config)
}

// target returns how to ask a place of metrics. Those of the service itself, and
// what else it offers at the same host, are asked as it is, key and headers
// included; others are told nothing.
func target(place string, settings client.Config) (observe.Target, error) {
	t := observe.Target{URL: place, Auto: place == sweep.AutoMetrics}
	switch {
	case place == sweep.LocalGPUs:
		return observe.Target{}, nil
	case t.Auto:
		t.URL = settings.URL
		if !strings.Contains(t.URL, "://") {
			t.URL = "http://" + t.URL
		}
	}
	u, err := url.Parse(t.URL)
	if err != nil {
		return t, fmt.Errorf("server_metrics: %w", err)
	}
	if u.Scheme == "https" {
		if t.TLS, err = settings.TLS.Config(u.Hostname()); err != nil {
			return t, err
		}
	}
	if service, err := url.Parse(settings.URL); t.Auto || err == nil && service.Scheme == u.Scheme && service.Host == u.Host {
		t.Header = map[string]string{}
		for name, value := range settings.Headers {
			t.Header[name] = value
		}
		if settings.APIKey != "" && t.Header["Authorization"] == "" {
			t.Header["Authorization"] = "Bearer " + strings.TrimSpace(settings.APIKey)
		}
	}
	return t, nil
}

// unwatchServer ends that and keeps what was seen.
func (p *phases) unwatchServer(ctx context.Context) {
	if p.server == nil {
		return
	}
	p.run.Observed = p.server.Stop(ctx)
	if p.run.Outcome.Server = p.run.Observed.Server(); p.run.Outcome.Server != nil {
		p.run.Outcome.Server.Workers = p.Portion.Workers
	}
	for _, e := range p.run.Observed.Endpoints {
		if e.Dropped > 0 {
			p.Log.Info(fmt.Sprintf("Of the %d scrapes of %s every %dth is kept, so that they fit", e.Fetches, e.URL, e.Step))
		}
		if asked := p.run.Observed.Interval; e.Wait > asked {
			p.Log.Info(fmt.Sprintf("%s was asked every %.1f s, not every %.1f: its text takes long to read", e.URL, e.Wait.Seconds(), asked.Seconds()))
		}
	}
	p.unseen = observedNotes(p.run.Observed, p.run.Outcome.Server)
	for _, note := range p.unseen {
		p.Log.Warn(note)
	}
}

// observedNotes says what of the metrics is missing.
func observedNotes(r *observe.Recording, s *loadgen.Server) []string {
	var notes []string
	for _, e := range r.Endpoints {
		switch {
		case e.Off != "":
			notes = append(notes, fmt.Sprintf("no metrics at %s: %s", e.URL, e.Off))
		case len(e.Points) == 0 && len(e.Gaps) > 0:
			notes = append(notes, fmt.Sprintf("no metrics of %s: %s", e.URL, e.Gaps[0].Why))
		case e.Failed > 0:
			notes = append(notes, fmt.Sprintf("%d of %d scrapes of %s failed, the first at %.1f s: %s", e.Failed, e.Fetches, e.URL, (e.Gaps[0].From-r.Epoch()).Seconds(), e.Gaps[0].Why))
		}
	}
	if s == nil {
		return notes
	}
	for _, source := range s.Sources {
		if source.Restarts > 0 {
			notes = append(notes, fmt.Sprintf("counters of %s began anew: what it measures was restarted", source.URL))
		}
		if source.ClockSteps > 0 {
			notes = append(notes, fmt.Sprintf("the clock of %s was set back during the run: the times that it tells are left out", source.URL))
		}
	}
	if len(s.Engines) == 0 && len(s.GPUs) == 0 {
		notes = append(notes, "the metrics of the server are none that are known: they are kept, and mean nothing here")
	}
	return notes
}
