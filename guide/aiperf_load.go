package guide

import "fmt"

// phases reads a list of phases, or one that is a mapping: that of the
// measurement.
func (c *conversion) phases(b *bag) {
	v, ok := b.m["phases"]
	if !ok {
		return
	}
	delete(b.m, "phases")
	if one, ok := v.(map[string]any); ok {
		c.profiling(b.bagOf(b.at("phases"), one))
		return
	}
	list, _ := v.([]any)
	measured := 0
	for i, x := range list {
		p := b.bagOf(fmt.Sprintf("%s[%d]", b.at("phases"), i), x)
		name, _ := p.take("name")
		kind, ok := p.take("kind")
		if !ok {
			kind = name
		}
		p.only("exclude_from_results", kind == "warmup")
		switch kind {
		case "warmup":
			c.warmup(p)
		case "profiling":
			if measured++; measured > 1 {
				p.problem(p.path, "a run has one measurement: write a batch file for each")
				continue
			}
			c.profiling(p)
		default:
			p.problem(p.path, "kind must be warmup or profiling")
		}
	}
}

// warmup reads the phase before the measurement.
func (c *conversion) warmup(p *bag) {
	kind, _ := p.take("type")
	p.to("requests", "warmup_request_count")
	p.seconds("duration", "warmup_duration")
	p.to("concurrency", "warmup_concurrency")
	switch kind {
	case nil, "concurrency":
	case "constant", "poisson", "gamma":
		p.to("rate", "warmup_request_rate")
	default:
		p.problem(p.at("type"), "%v has no counterpart in a warm-up", kind)
	}
	p.end()
}

// profiling reads the phase that is measured.
func (c *conversion) profiling(p *bag) {
	kind, _ := p.take("type")
	if _, ok := p.m["requests"]; ok {
		c.ended = true
		p.to("requests", "request_count")
	}
	if _, ok := p.m["duration"]; ok {
		c.ended = true
		p.seconds("duration", "benchmark_duration")
	}
	p.seconds("grace_period", "grace_period")
	p.seconds("concurrency_ramp", "concurrency_ramp_duration")
	p.seconds("rate_ramp", "request_rate_ramp_duration")
	p.to("failed_request_threshold", "max_error_rate")
	if seamless, ok := p.take("seamless"); ok && seamless == true {
		c.draft.Set("base_config.warmup_handover", "seamless", "")
	}
	p.to("concurrency", "concurrency")
	switch kind {
	case nil, "concurrency":
	case "constant", "poisson", "gamma":
		c.open = true
		c.set("request_rate_mode", kind)
		p.to("rate", "request_rate")
		p.to("smoothness", "request_rate_smoothness")
	case "user_centric":
		c.open = true
		c.userCentric(p)
	case "fixed_schedule":
		c.open = true
		c.set("fixed_schedule", true)
		p.only("auto_offset", true)
	default:
		p.problem(p.at("type"), "%v has no counterpart in a batch file", kind)
	}
	p.end()
}

// userCentric shares the rate among the users.
func (c *conversion) userCentric(p *bag) {
	users, _ := p.take("users")
	rate, _ := p.take("rate")
	n, each := float(users), float(rate)
	if n <= 0 || each <= 0 {
		p.problem(p.path, "user_centric needs users and rate, each a number")
		return
	}
	c.set("num_users", users)
	c.draft.Set("base_config.user_request_rate", each/n, "requests per second of each user: the rate shared among them")
}

func float(v any) float64 {
	switch v := v.(type) {
	case int:
		return float64(v)
	case int64:
		return float64(v)
	case uint64:
		return float64(v)
	case float64:
		return v
	}
	return 0
}
