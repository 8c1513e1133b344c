package sweep_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"loadgen/sweep"
)

const pickFrom = minimal + `  streaming: true
sweeps:
  concurrency: [1, 4, 8]
  model: [a/b, c d]
  slos.request_latency: [100, 200.5]
`

func TestPickedCells(t *testing.T) {
	const c1, c4, c8 = "concurrency1", "concurrency4", "concurrency8"
	tests := []struct {
		name       string
		only, skip []string
		want       []string // beginnings of directories
		cells      int
	}{
		{"one value", []string{"concurrency=4"}, nil, []string{c4}, 4},
		{"two values", []string{"concurrency=4,8"}, nil, []string{c4, c8}, 8},
		{"two values, repeated", []string{"concurrency=4", "concurrency=8"}, nil, []string{c4, c8}, 8},
		{"another notation", []string{" concurrency = 4.0 , 8 "}, nil, []string{c4, c8}, 8},
		{"several keys narrow", []string{"concurrency=4", "model=c d"}, nil, []string{"concurrency4_modelc_d"}, 2},
		{"several keys in one", []string{"concurrency=4,1 model=c d"}, nil, []string{"concurrency1_modelc_d", "concurrency4_modelc_d"}, 4},
		{"several keys behind a semicolon", []string{"concurrency=4; model=a/b"}, nil, []string{"concurrency4_modela_b"}, 2},
		{"a nested key", []string{"slos.request_latency=200.50 concurrency=1"}, nil, []string{c1}, 2},
		{"skip one", nil, []string{"concurrency=1"}, []string{c4, c8}, 8},
		{"skip a combination", nil, []string{"concurrency=1,4 model=a/b"}, []string{"concurrency1_modelc_d", "concurrency4_modelc_d", c8}, 8},
		{"skip several", nil, []string{"concurrency=1", "model=a/b"}, []string{"concurrency4_modelc_d", "concurrency8_modelc_d"}, 4},
		{"both", []string{"concurrency=1,4"}, []string{"concurrency=4"}, []string{c1}, 4},
	}
	everything := map[int]sweep.Cell{}
	for _, cell := range parse(t, pickFrom).Cells() {
		everything[cell.Index] = cell
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			batch, err := sweep.Parse("b.yaml", []byte(pickFrom), sweep.Options{Only: tt.only, Skip: tt.skip})
			if err != nil {
				t.Fatal(err)
			}
			if len(batch.Cells()) != tt.cells {
				t.Errorf("%d cells, want %d", len(batch.Cells()), tt.cells)
			}
			found := map[string]bool{}
			for _, cell := range batch.Cells() {
				if all := everything[cell.Index]; cell.Dir != all.Dir || cell.Seed != all.Seed {
					t.Errorf("cell %d is %s with seed %d, and %s with %d among all", cell.Index, cell.Dir, cell.Seed, all.Dir, all.Seed)
				}
				known := false
				for _, beginning := range tt.want {
					if strings.HasPrefix(cell.Dir, beginning) {
						found[beginning], known = true, true
					}
				}
				if !known {
					t.Errorf("%s is run", cell.Dir)
				}
			}
			if len(found) != len(tt.want) {
				t.Errorf("found %v, want %v", found, tt.want)
			}
		})
	}
}

func TestPicksAtFault(t *testing.T) {
	tests := []struct {
		name       string
		only, skip string
		want, hint string
	}{
		{"no such value", "concurrency=5", "", "concurrency=5 matches no cell", "concurrency takes 1, 4, 8"},
		{"one of two", "concurrency=4,5", "", "concurrency=5 matches no cell", ""},
		{"no value", "concurrency=", "", "concurrency= matches no cell", ""},
		{"a misspelt key", "", "concurency=4", "concurency is not swept", "did you mean concurrency?"},
		{"a key that is not swept", "streaming=true", "", "streaming is not swept", "there are concurrency, model, slos.request_latency"},
		{"no condition", "4", "", "must be KEY=VALUE,VALUE", "such as concurrency=4,8"},
		{"nothing", "", " ", "must be KEY=VALUE,VALUE", ""},
		{"no cell left", "concurrency=4", "concurrency=4", "leave none of 12 cells", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var o sweep.Options
			if tt.only != "" {
				o.Only = []string{tt.only}
			}
			if tt.skip != "" {
				o.Skip = []string{tt.skip}
			}
			found := faults(t, pickFrom, o)
			if len(found) != 1 || found[0].Message != tt.want || !strings.Contains(found[0].Hint, tt.hint) {
				t.Errorf("got %v, want %q with %q", found, tt.want, tt.hint)
			}
		})
	}
	found := faults(t, minimal, sweep.Options{Only: []string{"concurrency=4"}})
	if len(found) != 1 || found[0].Hint != "the batch has no sweeps, and one cell" {
		t.Errorf("without sweeps: %v", found)
	}
}

func TestPicksAreNoted(t *testing.T) {
	batch, err := sweep.Parse("b.yaml", []byte(pickFrom), sweep.Options{Only: []string{"concurrency=4"}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"--only and --skip pick 4 of 12 cells"}, batch.Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}
