package report_test

import (
	"strings"
	"testing"

	"loadgen/metrics"
	"loadgen/report"
)

func TestACeilingThatWasNotReachedIsSaidToBeOne(t *testing.T) {
	for want, c := range map[string]metrics.Ceiling{
		"honest up to 384 streams, 18,000 chunks/s and at least 32,000 requests/s": {Streams: 384, Chunks: 18000, Requests: 32000, RequestsOpen: true},
		"honest up to at least 4,096 streams, 180,000 chunks/s and 16,000 requests/s": {
			Streams: 4096, Chunks: 180000, Requests: 16000, StreamsOpen: true,
		},
	} {
		if text := report.CalibrationText(nil, c, report.Options{}); !strings.Contains(text, want) {
			t.Errorf("%q lacks %q", text, want)
		}
	}
}
