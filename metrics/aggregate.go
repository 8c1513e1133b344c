package metrics

import "loadgen"

// metrics returns what the tally comes to, in the order of the definitions. derive
// adds to the scalars what follows from them.
func (t *tally) metrics(o loadgen.Outcome, judged bool, derive func(map[string]float64)) []Metric {
	return t.metricsWith(o, judged, derive, func(tag string) *Stats { return t.concurrency(tag, o) })
}

// metricsWith takes the metrics that are weighted by time from elsewhere.
func (t *tally) metricsWith(o loadgen.Outcome, judged bool, derive func(map[string]float64), weighted func(tag string) *Stats) []Metric {
	if t.issued() == 0 {
		return nil
	}
	scalars := t.scalars(o, judged)
	derive(scalars)
	var ms []Metric
	for _, d := range definitions {
		m := Metric{Tag: d.Tag, Header: d.Header, Unit: d.Unit, Integer: d.Integer, Console: d.Console}
		switch d.Kind {
		case PerRequest:
			m.Stats = t.dists[d.ID].stats()
		case PerChunk:
			m.Stats = t.gaps.stats()
		case TimeWeighted:
			m.Stats = weighted(d.Tag)
		case Adjusted:
			if dist := &t.dists[d.ID]; t.ok < t.issued() && dist.count() > 0 {
				m.Stats = dist.adjusted(int64(t.failed + t.cancelled))
			}
		case Scalar:
			if v, ok := scalars[d.Tag]; ok {
				m.Value = &v
			}
		}
		if m.Stats != nil || m.Value != nil {
			ms = append(ms, m)
		}
	}
	return ms
}

// scalars computes the figures of the whole run by AIPerf's formulas: over the
// successful requests, and over the time from the first of them sent to the
// last of their outputs.
func (t *tally) scalars(o loadgen.Outcome, judged bool) map[string]float64 {
	bad := t.failed + t.cancelled
	v := map[string]float64{
		"request_count":           float64(t.ok),
		"completed_request_count": float64(t.issued()),
		"request_error_rate":      100 * float64(bad) / float64(t.issued()),
	}
	if bad > 0 {
		v["error_request_count"] = float64(bad)
		t.total(v, "total_error_isl", ErrorISL)
	}
	if judged {
		v["good_request_count"] = float64(t.good)
		v["good_request_fraction"] = float64(t.good) / float64(t.issued())
	}
	if t.ok == 0 {
		return v
	}
	v["min_request_timestamp"] = float64(o.Epoch + int64(t.okFirst))
	v["max_response_timestamp"] = float64(o.Epoch + int64(t.okLast))
	t.total(v, "total_isl", ISL)
	t.total(v, "total_osl", OSL)
	t.total(v, "total_output_tokens", OutputTokens)
	t.total(v, "total_reasoning_tokens", ReasoningTokens)
	t.total(v, "total_usage_prompt_tokens", UsagePrompt)
	t.total(v, "total_usage_completion_tokens", UsageCompletion)
	t.total(v, "total_usage_total_tokens", UsageTotal)
	t.total(v, "total_usage_reasoning_tokens", UsageReasoning)
	t.total(v, "total_usage_prompt_cache_read_tokens", UsageCacheRead)
	if cached, prompt := t.dists[UsageCacheRead].moments(), t.dists[UsagePrompt].moments(); cached.n > 0 && prompt.sum > 0 {
		v["overall_usage_prompt_cache_read_pct"] = 100 * cached.sum / prompt.sum
	}
	if t.dists[UsagePromptDiff].count()+t.dists[UsageCompletionDiff].count()+t.dists[UsageReasoningDiff].count() > 0 {
		v["usage_discrepancy_count"] = float64(t.discrepant)
	}
	if t.dists[OSLMismatch].count() > 0 {
		v["osl_mismatch_count"] = float64(t.missesOSL)
	}
	t.rates(v, judged)
	return v
}

func (t *tally) total(v map[string]float64, tag string, id ID) {
	if d := t.dists[id].moments(); d.n > 0 {
		v[tag] = d.sum
	}
}

func (t *tally) rates(v map[string]float64, judged bool) {
	duration := (t.okLast - t.okFirst).Seconds()
	if duration <= 0 {
		return
	}
	v["benchmark_duration"] = duration
	v["request_throughput"] = float64(t.ok) / duration
	if judged {
		v["goodput"] = float64(t.good) / duration
	}
	isl, input := v["total_isl"]
	osl, output := v["total_osl"]
	if output {
		v["output_token_throughput"] = osl / duration
	}
	if input {
		v["input_token_throughput"] = isl / duration
	}
	if input && output {
		v["total_token_throughput"] = (isl + osl) / duration
	}
}
