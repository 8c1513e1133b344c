package fleet

import (
	"testing"
	"testing/synctest"
	"time"

	"loadgen"
)

// TestALongRunShedsWhatIsHome writes a record each 100 ms for a minute. A second is
// ten records; what ends with a tenth may go when the coordinator is heard five
// seconds after it had taken that in: at its answer to record 599 what ends with
// 540, which is 5.9 s old.
func TestALongRunShedsWhatIsHome(t *testing.T) {
	for name, tt := range map[string]struct {
		until int // the last record of which the coordinator says that it has it
		first int // that stays
	}{
		"all is home":                        {600, 541},
		"the coordinator is silent after 30": {300, 241},
		"it is silent from the beginning":    {0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir := t.TempDir()
				s, err := newSpool(spoolName(dir, 0), "/out/t/run")
				if err != nil {
					t.Fatal(err)
				}
				for i := range 600 {
					s.add(&loadgen.Record{Index: i, Request: &loadgen.Request{ID: "id"}, Chunks: make([]loadgen.Chunk, 100)})
					s.flush(i)
					if i < tt.until {
						s.ack(s.size)
					}
					time.Sleep(100 * time.Millisecond)
				}
				first, n := -1, 0
				for rec, err := range Left(dir) {
					if err != nil {
						t.Fatal(err)
					}
					if first < 0 {
						first = rec.Index
					}
					n++
				}
				if n != 600-first || first != tt.first {
					t.Errorf("%d records are left, from number %d on; want all from %d on", n, first, tt.first)
				}
				if err := s.file.Close(); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}
