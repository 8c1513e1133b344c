package sweep_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"loadgen/sweep"
)

func TestTheSaltOfABatch(t *testing.T) {
	tests := []struct{ name, keys, want string }{
		{"that of the night", "", "night"},
		{"for every run", "  cache_bust: run\n", "night"},
		{"the file's own", "  cache_bust_salt: monday\n", "monday"},
		{"a number", "  cache_bust_salt: 20261129\n", "20261129"},
		{"hexadecimal digits that look like a number", "  cache_bust_salt: 1e50\n", "1e50"},
		{"none", "  cache_bust: none\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			batch, err := sweep.Parse("b.yaml", []byte(minimal+tt.keys+"sweeps: {concurrency: [1, 2]}\n"), sweep.Options{Salt: "night"})
			if err != nil {
				t.Fatal(err)
			}
			if got := string(batch.Base.CacheBustSalt); got != tt.want {
				t.Errorf("the base has the salt %q, want %q", got, tt.want)
			}
			for _, cell := range batch.Cells() {
				if got := string(cell.Config.CacheBustSalt); got != tt.want {
					t.Errorf("%s has the salt %q, want %q", cell.Dir, got, tt.want)
				}
				stated := ""
				for _, p := range cell.Config.Effective() {
					if p.Key == "cache_bust_salt" {
						stated, _ = p.Value.(string)
					}
				}
				if stated != tt.want {
					t.Errorf("%s states the salt %q, want %q", cell.Dir, stated, tt.want)
				}
			}
		})
	}
}

func TestSaltsAtFault(t *testing.T) {
	const dataset = "  input_file: x\n  custom_dataset_type: sharegpt\n"
	tests := []struct{ name, keys, want string }{
		{"an unknown choice", "  cache_bust: night\n", "must be one of batch, run, none"},
		{"no salt", "  cache_bust_salt: \"\"\n", "must not be empty"},
		{"a list", "  cache_bust_salt: [a]\n", "must be a text or a number"},
		{"too long", "  cache_bust_salt: " + strings.Repeat("x", 101) + "\n", "must have at most 100 characters"},
		{"a salt for nothing", "  cache_bust: none\n  cache_bust_salt: x\n", "has no effect: cache_bust: none leaves the prompts to the seed alone"},
		{"a dataset's texts", dataset + "  cache_bust: run\n", "has no effect: the prompts of the dataset are sent as they are"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			found := faults(t, minimal+tt.keys, sweep.Options{})
			if len(found) != 1 || !strings.Contains(found[0].Message, tt.want) {
				t.Errorf("got %v, want %q", found, tt.want)
			}
		})
	}
	parse(t, minimal+"  input_file: x\n  custom_dataset_type: mooncake_trace\n  cache_bust_salt: x\n")
	if diff := cmp.Diff(sweep.Version(""), parse(t, minimal).Base.CacheBustSalt); diff != "" {
		t.Errorf("without a salt (-want +got):\n%s", diff)
	}
}
