package metrics

// A CertifyRule is how the percentiles of a run are certified.
type CertifyRule string

const (
	// ByOrder bounds a percentile by the order statistic that lies above it at
	// 95 %, for so many independent requests as the run's are worth.
	ByOrder CertifyRule = ""
	// The rules of MLPerf's scenarios stop early, at 99 %. They take requests for
	// independent.
	MLPerfServer       CertifyRule = "mlperf_server"
	MLPerfSingleStream CertifyRule = "mlperf_single_stream"
	MLPerfMultiStream  CertifyRule = "mlperf_multi_stream"
)

// CertifyRules are those with a name.
func CertifyRules() []CertifyRule {
	return []CertifyRule{MLPerfServer, MLPerfSingleStream, MLPerfMultiStream}
}

// Early reports whether the rule is MLPerf's.
func (r CertifyRule) Early() bool { return r != ByOrder }

// Confidence is that of the rule's certificates.
func (r CertifyRule) Confidence() float64 {
	if r.Early() {
		return 0.99
	}
	return 0.95
}

// figures are the percentiles that the rule is asked about whatever limits there
// are.
func (r CertifyRule) figures() []string {
	switch r {
	case MLPerfServer:
		return []string{"time_to_first_token.p99", "inter_token_latency.p99", "request_latency.p99"}
	case MLPerfSingleStream:
		return []string{"request_latency.p90"}
	case MLPerfMultiStream:
		return []string{"request_latency.p99"}
	}
	var all []string
	for _, tag := range []string{"time_to_first_token", "inter_token_latency", "request_latency"} {
		all = append(all, tag+".p95", tag+".p99")
	}
	return all
}
