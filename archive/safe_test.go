package archive

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"loadgen"
	"loadgen/metrics"
	"loadgen/results"
)

func TestARecordLeavesTheProcessThoughNoOtherFollows(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		batch, err := results.CreateBatch(dir, "safe", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		run, err := batch.Begin(results.Metadata{})
		if err != nil {
			t.Fatal(err)
		}
		in, err := run.Inputs()
		if err != nil {
			t.Fatal(err)
		}
		stop := keepSafe(run)
		kept := func(name string) int64 {
			info, err := os.Stat(filepath.Join(run.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			return info.Size()
		}
		noSession := kept(results.InputsName)
		for range 3 {
			lines, inputs := kept(results.RecordsName), kept(results.InputsName)
			if err := run.Record(&loadgen.Record{Usage: loadgen.NoUsage}, &metrics.Measurement{}); err != nil {
				t.Fatal(err)
			}
			if err := in.Add(&loadgen.Session{ID: "s"}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(flushEvery + time.Nanosecond)
			synctest.Wait()
			if kept(results.RecordsName) == lines || kept(results.InputsName) == inputs {
				t.Errorf("after %v nothing of a record and a session is in the files", flushEvery)
			}
		}
		stop()
		if err := in.Close(0); err != nil || kept(results.InputsName) != noSession {
			t.Errorf("sessions that were never started stay: %v", err)
		}
		if err := run.Close(); err != nil {
			t.Error(err)
		}
	})
}
