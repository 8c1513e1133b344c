package sweep_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"loadgen/sweep"
)

func TestPlacesOfMetrics(t *testing.T) {
	for written, want := range map[string]struct {
		places sweep.Places
		fault  string
	}{
		"server_metrics: auto":                                {places: sweep.Places{"auto"}},
		"server_metrics: none":                                {},
		"server_metrics: http://a:1/metrics":                  {places: sweep.Places{"http://a:1/metrics"}},
		"server_metrics: [auto, 'http://b/m?x=1']":            {places: sweep.Places{"auto", "http://b/m?x=1"}},
		"server_metrics: 5":                                   {fault: "must be auto, an address or a list of these, not the number 5"},
		"server_metrics: [a.example]":                         {fault: "must be auto, or the whole address of metrics"},
		"server_metrics: local":                               {fault: "must be auto, or the whole address of metrics"},
		"server_metrics: 'http://me:secret@a/m'":              {fault: "must not hold a user or password"},
		"gpu_metrics: auto":                                   {fault: "must be local, or the whole address of metrics"},
		"server_metrics: auto\n  server_metrics_interval: 0":  {fault: "must be at least 0.1s"},
		"server_metrics_interval: 2":                          {fault: "neither server_metrics nor gpu_metrics names a place"},
		"server_metrics: auto\n  server_metrics_formats: [x]": {fault: "must be a list of json, csv, jsonl, parquet"},
	} {
		batch, err := sweep.Parse("b.yaml", []byte("base_config:\n  model: m\n  url: http://a\n  streaming: true\n  benchmark_duration: 1\n  warmup_request_count: 1\n  concurrency: 1\n  "+written+"\n"), sweep.Options{})
		switch {
		case want.fault != "":
			if err == nil || !strings.Contains(err.Error(), want.fault) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: error %v, want %q", written, err, want.fault)
			}
		case err != nil:
			t.Errorf("%s: %v", written, err)
		default:
			if diff := cmp.Diff(want.places, batch.Base.ServerMetrics); diff != "" {
				t.Errorf("%s (-want +got):\n%s", written, diff)
			}
			if s := batch.Base.Effective().String(); strings.Contains(s, "x=1") {
				t.Errorf("%s is shown as %s", written, s)
			}
		}
	}
}
