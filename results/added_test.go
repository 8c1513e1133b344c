package results_test

import (
	"errors"
	"testing"
	"time"

	"loadgen"
	"loadgen/results"
)

// TestRecordsAreAddedBesideAFault has one of the workers of a killed run leave
// something that cannot be read, between the records of others.
func TestRecordsAreAddedBesideAFault(t *testing.T) {
	b, err := results.CreateBatch(t.TempDir(), "killed", time.Unix(0, epoch))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	run, err := b.Begin(metadata())
	if err != nil {
		t.Fatal(err)
	}
	all, fault := handmade(), errors.New("no record")
	must(t, run.Record(all[0], measured(all[0])))
	must(t, run.Close())
	added, err := results.AddRecords(run.Dir, func(yield func(*loadgen.Record, error) bool) {
		_ = yield(all[0], nil) && yield(nil, fault) && yield(all[1], nil)
	}, nil)
	if added != 1 || !errors.Is(err, fault) {
		t.Errorf("%d records are added, %v; want 1 and the fault", added, err)
	}
	again, err := results.Open(run.Dir)
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for rec, err := range again.Records() {
		if err != nil {
			t.Fatal(err)
		}
		ids[rec.Request.ID] = true
	}
	if len(ids) != 2 || !ids[all[0].Request.ID] || !ids[all[1].Request.ID] {
		t.Errorf("the run has %v", ids)
	}
}
