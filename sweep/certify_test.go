package sweep_test

import (
	"strings"
	"testing"

	"loadgen/metrics"
	"loadgen/sweep"
)

func TestCertifyIsARuleOrNone(t *testing.T) {
	for written, want := range map[string]sweep.Certify{
		"true":                 {On: true},
		"yes":                  {On: true},
		"false":                {},
		"no":                   {},
		"mlperf_server":        {On: true, Rule: metrics.MLPerfServer},
		"mlperf_single_stream": {On: true, Rule: metrics.MLPerfSingleStream},
		"mlperf_multi_stream":  {On: true, Rule: metrics.MLPerfMultiStream},
	} {
		b, err := sweep.Parse("b.yaml", []byte(minimal+"  certify: "+written+"\n"), sweep.Options{})
		if err != nil {
			t.Errorf("%s: %v", written, err)
			continue
		}
		if got := b.Cells()[0].Config.Certify; got != want {
			t.Errorf("%s is %+v, want %+v", written, got, want)
		}
	}
	for written, want := range map[string]string{
		"mlperf_offline": "Offline scenario has no limit to certify",
		"mlperf":         "must be true, false or a rule of MLPerf's",
		"{p: 99}":        "must be true, false or a rule of MLPerf's",
	} {
		if _, err := sweep.Parse("b.yaml", []byte(minimal+"  certify: "+written+"\n"), sweep.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", written, err, want)
		}
	}
}
