package archive_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"loadgen/archive"
)

// Whatever stands in the index of the nights, reading them ends, in bounded
// memory, with the nights that are there; and an index that is made anew says
// what they say.
func FuzzNights(f *testing.F) {
	root := filepath.Join(f.TempDir(), "chat")
	night := filepath.Join(root, "20260301_020000")
	putRun(f, night, 100, "")
	if err := os.WriteFile(filepath.Join(night, "batch_summary.json"), []byte("{}"), 0o600); err != nil {
		f.Fatal(err)
	}
	index := filepath.Join(root, archive.IndexName)
	if _, err := archive.Nights(root, true, nil); err != nil {
		f.Fatal(err)
	}
	text, err := os.ReadFile(index)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add(text[:len(text)/2])
	f.Add([]byte(`{"schema_version":"1","figures":["no such","time_to_first_token.p50"]}` + "\n" + `{"night":"20260301_020000","cells":["a","b"],"figures":[[1]]}` + "\n"))
	f.Add([]byte(`{"schema_version":"1"}{"night":"20260301_020000","cells":["a"],"figures":[[null,1e308,-1]]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(index, data, 0o600); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		nights, err := archive.Nights(root, false, nil)
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 256<<20 {
			t.Errorf("it took %d MiB", took>>20)
		}
		if err != nil || len(nights) != 1 || nights[0].Dir != "20260301_020000" {
			t.Fatalf("%+v, %v", nights, err)
		}
		nights, err = archive.Nights(root, true, nil)
		if err != nil || len(nights) != 1 || len(nights[0].Cells) != 1 || nights[0].Cells[0].Figures[ttft] != 100 {
			t.Errorf("made anew: %+v, %v", nights, err)
		}
	})
}
