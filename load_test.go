package loadgen_test

import (
	"encoding/json"
	"testing"
	"time"

	"loadgen"
)

func TestLoadIsWrittenByName(t *testing.T) {
	for _, row := range []struct {
		load      loadgen.Load
		json      string
		scheduled bool
		level     float64
	}{
		{loadgen.Load{Users: 8}, `{"mode":"closed_loop","users":8}`, false, 8},
		{
			loadgen.Load{Mode: loadgen.OpenLoop, Rate: 0.5, Ceiling: 4, Smoothness: 1, Ramp: time.Second},
			`{"mode":"open_loop","rate":0.5,"ceiling":4,"smoothness":1,"ramp_ns":1000000000}`, true, 0.5,
		},
		{loadgen.Load{Mode: loadgen.UserPaced, Users: 10, Rate: 40}, `{"mode":"user_paced","users":10,"rate":40}`, false, 10},
		{loadgen.Load{Mode: loadgen.FixedSchedule, Ceiling: 3}, `{"mode":"fixed_schedule","ceiling":3}`, true, 3},
	} {
		got, err := json.Marshal(row.load)
		if err != nil || string(got) != row.json {
			t.Errorf("written as %s, %v; want %s", got, err, row.json)
		}
		var back loadgen.Load
		if err := json.Unmarshal(got, &back); err != nil || back != row.load {
			t.Errorf("%s is read back as %+v, %v", got, back, err)
		}
		if row.load.Scheduled() != row.scheduled || row.load.Level() != row.level {
			t.Errorf("%s: scheduled %t, level %g", got, row.load.Scheduled(), row.load.Level())
		}
	}
	if err := json.Unmarshal([]byte(`{"mode":"half_open"}`), new(loadgen.Load)); err == nil {
		t.Error("an unknown mode is read")
	}
}
