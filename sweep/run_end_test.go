package sweep_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"loadgen/sweep"
)

// ends is how a run of the known endpoint ended.
func (m *measured) ends(t *testing.T, want error, cut string, cancelled bool, note string) {
	t.Helper()
	if !errors.Is(m.Err, want) {
		t.Errorf("error %v, want %v", m.Err, want)
	}
	if m.Outcome.Cancelled != cancelled || !strings.Contains(m.Outcome.Cut, cut) || (cut == "") != (m.Outcome.Cut == "") {
		t.Errorf("cancelled %t, cut by %q; want %t, %q", m.Outcome.Cancelled, m.Outcome.Cut, cancelled, cut)
	}
	notes := strings.Join(m.Summary.Validity.Notes, "; ")
	if !strings.Contains(notes, note) || strings.Contains(notes, "by the user") != cancelled {
		t.Errorf("notes %q, want %q", notes, note)
	}
	if c := m.Summary.Counts; c.Issued != c.OK+c.Failed+c.Cancelled || c.OK == 0 {
		t.Errorf("counts %+v: what was measured is not accounted for", c)
	}
	if !m.Summary.Cancelled {
		t.Error("the summary does not say that the run was not complete")
	}
}

var aMinute = []string{"base_config.concurrency=4", "base_config.benchmark_duration=60"}

func TestAnEndpointThatDiesEndsTheRunTenSecondsLater(t *testing.T) {
	inTrouble(t, trouble{gone: 5 * time.Second}, aMinute, func(t *testing.T, m *measured) {
		m.ends(t, sweep.ErrEndpointGone, "the endpoint is gone", false, "ended before its time: the endpoint is gone")
		if at := m.Outcome.Elapsed; at < 15*time.Second || at > 16*time.Second {
			t.Errorf("given up at %v, want between 15 and 16 s", at)
		}
	})
}

func TestAFullDiskEndsTheRun(t *testing.T) {
	inTrouble(t, trouble{full: 40}, aMinute, func(t *testing.T, m *measured) {
		m.ends(t, errFull, "no space left", false, "ended before its time: keeping the records: no space left")
		if m.Outcome.Elapsed > 3*time.Second || len(m.records) != 40 {
			t.Errorf("over at %v with %d records, want soon after the 40th", m.Outcome.Elapsed, len(m.records))
		}
	})
}

func TestAnInterruptEndsTheRunGently(t *testing.T) {
	inTrouble(t, trouble{stop: 3100 * time.Millisecond}, aMinute, func(t *testing.T, m *measured) {
		m.ends(t, nil, "", true, "ended by the user")
		// Those in flight at 3.1 s are over at 3.2 s.
		if m.Outcome.Elapsed != 3200*time.Millisecond || m.Summary.Counts.OK != 64 {
			t.Errorf("over at %v with %d ok, want 3.2s and 64", m.Outcome.Elapsed, m.Summary.Counts.OK)
		}
	})
}

func TestAWarmUpThatFailsIsSaid(t *testing.T) {
	for faults, want := range map[string]string{
		"[{kind: status, status: 503}]":           "6 of 6 requests of the warm-up failed: status 503",
		"[{kind: status, status: 503, every: 3}]": "2 of 6 requests of the warm-up failed: status 503",
		"[]": "",
	} {
		settings := []string{"base_config.concurrency=2", "base_config.request_count=6", "base_config.warmup_request_count=6", "mock.faults=" + faults}
		inVirtualTime(t, settings, func(t *testing.T, m *measured) {
			notes := strings.Join(m.Summary.Validity.Notes, "; ")
			if !strings.Contains(notes, want) || want == "" && strings.Contains(notes, "warm-up") {
				t.Errorf("%s: notes %q, want %q", faults, notes, want)
			}
		})
	}
}

func TestBudgets(t *testing.T) {
	for name, c := range map[string]struct {
		budgets, faults string
		missed          []string
	}{
		"kept":                         {"{time_to_first_token.p95: 100, request_throughput: 19}", "[]", nil},
		"no failure, and none allowed": {"{error_request_count: 0, request_error_rate: 0}", "[]", nil},
		"failures, and none allowed": {
			"{error_request_count: 0}", "[{kind: status, status: 503, every: 4}]",
			[]string{"budget error_request_count: 10 is above 0"},
		},
		"too slow": {"{time_to_first_token.p95: 99}", "[]", []string{"budget time_to_first_token.p95: 100 is above 99"}},
	} {
		t.Run(name, func(t *testing.T) {
			settings := []string{
				"base_config.concurrency=4", "base_config.request_count=40",
				"base_config.budgets=" + c.budgets, "mock.faults=" + c.faults,
			}
			inVirtualTime(t, settings, func(t *testing.T, m *measured) {
				if got := m.Missed(); !slices.Equal(got, c.missed) {
					t.Errorf("missed %q, want %q", got, c.missed)
				}
			})
		})
	}
}
