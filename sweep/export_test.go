package sweep_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"loadgen/sweep"
)

func TestExportsAreAListOfSinks(t *testing.T) {
	batch := parse(t, minimal+"export: [parquet, {to: otlp, url: http://localhost:4318, api_key_env_var: KEY}, {to: mlflow, dir: runs}]\n")
	want := sweep.Exports{
		{To: "parquet"},
		{To: "otlp", URL: "http://localhost:4318", APIKeyEnvVar: "KEY"},
		{To: "mlflow", Dir: "runs"},
	}
	if diff := cmp.Diff(want, batch.Export); diff != "" {
		t.Errorf("exports (-want +got):\n%s", diff)
	}
	if got := parse(t, minimal).Export; len(got) != 0 {
		t.Errorf("without the key there are %v", got)
	}
}

func TestFaultsOfExports(t *testing.T) {
	tests := []struct{ name, export, want string }{
		{"no list", "parquet", "must be a list"},
		{"an unknown sink", "[parqet]", "must be one of parquet, markdown"},
		{"a near miss", "[parqet]", "did you mean parquet?"},
		{"a map without a kind", "[{url: http://h}]", "is missing"},
		{"an unknown key", "[{to: junit, file: x}]", "unknown key"},
		{"a sink on the network without an address", "[otlp]", "otlp needs url"},
		{"an address that is none", "[{to: otlp, url: localhost:4318}]", "must begin with http://"},
		{"an address with a password", "[{to: otlp, url: http://u:p@h}]", "must not hold a user or password"},
		{"the simulated endpoint", "[{to: otlp, url: mock://}]", "must begin with http"},
		{"an address of a file", "[{to: parquet, url: http://h}]", "has no effect"},
		{"a directory that is not asked for", "[{to: junit, dir: x}]", "has no effect"},
		{"the same twice", "[junit, junit]", "stands twice"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			list := faults(t, minimal+"export: "+tt.export+"\n", sweep.Options{})
			if len(list) != 1 {
				t.Fatalf("%d faults: %v", len(list), list)
			}
			if text := list[0].Message + " " + list[0].Hint; !strings.Contains(text, tt.want) {
				t.Errorf("got %q, want %q in it", text, tt.want)
			}
		})
	}
}
