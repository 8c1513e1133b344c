package runner_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"loadgen"
	"loadgen/metrics"
	"loadgen/runner"
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
	for _, r := range m.Summary.Validity.Reasons {
		notes += "; " + r.Text
	}
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

var aMinute = []string{"base_config.concurrency=4", "base_config.benchmark_duration=60", "base_config.start=together"}

func TestAnEndpointThatDiesEndsTheRunTenSecondsLater(t *testing.T) {
	inTrouble(t, trouble{gone: 5 * time.Second}, aMinute, func(t *testing.T, m *measured) {
		m.ends(t, runner.ErrEndpointGone, "the endpoint is gone", false, "ended before its time: given up: the endpoint is gone")
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

// TestARunIsShownAsOverBehindItsLastRequest has the last requests end 100 ms behind
// the interrupt or the end: what follows is no part of the run.
func TestARunIsShownAsOverBehindItsLastRequest(t *testing.T) {
	for name, row := range map[string]struct {
		trouble trouble
		took    time.Duration
	}{
		"by its length":  {trouble{}, time.Minute},
		"by its user":    {trouble{stop: 3100 * time.Millisecond}, 3200 * time.Millisecond},
		"by a full disk": {trouble{full: 40}, 2 * time.Second}, // ten rounds of 0.2 s
	} {
		t.Run(name, func(t *testing.T) {
			inTrouble(t, row.trouble, aMinute, func(t *testing.T, m *measured) {
				if m.early || m.over < row.took || m.over > row.took+time.Second {
					t.Errorf("over after %v (before its last record: %t), want %v", m.over, m.early, row.took)
				}
			})
		})
	}
}

func TestAFullDiskForPromptsEndsTheBatch(t *testing.T) {
	settings := []string{"sweeps.concurrency=[1, 2]", "base_config.request_count=4000"}
	for name, c := range map[string]struct {
		mute, most int // prompts that are kept, and requests that may be sent
	}{
		"before the first request": {10, 0},
		// 1024 are made ahead, and more when half of these are sent.
		"while the run lasts": {1100, 520},
	} {
		t.Run(name, func(t *testing.T) {
			inTrouble(t, trouble{mute: c.mute}, settings, func(t *testing.T, m *measured) {
				if !errors.Is(m.Err, errFull) || !strings.Contains(m.Err.Error(), "keeping the prompts") || m.cells != 1 {
					t.Errorf("error %v, %d cells begun; want that the prompts cannot be kept, and one cell", m.Err, m.cells)
				}
				if o := m.Outcome; o.Cancelled || !strings.Contains(o.Cut, "no space left") || o.Issued > c.most || (o.Issued == 0) != (c.most == 0) {
					t.Errorf("outcome %+v, want a cut with at most %d sent", o, c.most)
				}
				if c.most == 0 {
					m.nothing(t)
				}
			})
		})
	}
}

// TestAnInterruptBeforeTheFirstMeasuredRequest comes while prompts are made,
// forty of a second each.
func TestAnInterruptBeforeTheFirstMeasuredRequest(t *testing.T) {
	settings := []string{"base_config.concurrency=4", "base_config.request_count=40", "base_config.warmup_request_count=4", "base_config.warmup_handover=drain"}
	inTrouble(t, trouble{slow: time.Second, stop: 5500 * time.Millisecond}, settings, func(t *testing.T, m *measured) {
		if m.Err != nil || m.Status() != loadgen.Interrupted || len(m.Missed()) > 0 {
			t.Errorf("error %v, status %s, limits missed %q; want cancelled", m.Err, m.Status(), m.Missed())
		}
		m.nothing(t)
		if len(m.warmup) != 4 || m.stats.Requests != 4 || m.Outcome.Issued != 0 {
			t.Errorf("%d requests came, %d of the warm-up; want its 4 alone", m.stats.Requests, len(m.warmup))
		}
		if m.took > 6500*time.Millisecond {
			t.Errorf("over at %v, want when the prompt in the making is there", m.took)
		}
	})
}

// nothing asks that the summary says that no request was sent.
func (m *measured) nothing(t *testing.T) {
	t.Helper()
	s := m.Summary
	if s == nil || m.Outcome.Issued != 0 || s.Validity.Verdict != metrics.Invalid {
		t.Fatalf("summary %+v; want an INVALID one", s)
	}
	counts := s.Counts
	counts.Good = nil
	if counts != (metrics.Counts{Warmup: len(m.warmup)}) {
		t.Errorf("counts %+v; want nothing but the warm-up", counts)
	}
}

// TestAScheduleWithoutARequestFails has a Poisson schedule whose first arrival,
// with this seed, lies behind the end, and limits that are missed by it.
func TestAScheduleWithoutARequestFails(t *testing.T) {
	settings := []string{
		"base_config.request_rate=0.5", "base_config.request_rate_mode=poisson", "base_config.benchmark_duration=1", "base_config.random_seed=3",
		"base_config.budgets={request_throughput: 2}", "base_config.slos={request_latency: 100}", "base_config.require_slos=true",
	}
	inTrouble(t, trouble{}, settings, func(t *testing.T, m *measured) {
		if !errors.Is(m.Err, runner.ErrNoneSent) || m.Status() != loadgen.Failed {
			t.Errorf("error %v, status %s; want that no request was sent", m.Err, m.Status())
		}
		m.nothing(t)
		want := []string{"slos were met by 0 of 0 requests", "budget request_throughput: the run has no such figure"}
		if diff := cmp.Diff(want, m.Missed()); diff != "" {
			t.Errorf("limits missed (-want +got):\n%s", diff)
		}
	})
}

// TestARunThatFailsBehindItsWarmUpMeasuresNothing loses its corpus in between.
func TestARunThatFailsBehindItsWarmUpMeasuresNothing(t *testing.T) {
	corpus := filepath.Join(t.TempDir(), "corpus.txt")
	if err := os.WriteFile(corpus, []byte(strings.Repeat("a text of many words ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	settings := []string{
		"base_config.concurrency=2", "base_config.request_count=10", "base_config.warmup_request_count=4",
		"base_config.prompt_corpus=" + corpus, "base_config.warmup_handover=drain",
	}
	inTrouble(t, trouble{lost: corpus}, settings, func(t *testing.T, m *measured) {
		if !errors.Is(m.Err, fs.ErrNotExist) || len(m.warmup) != 4 {
			t.Fatalf("error %v behind %d requests of the warm-up, want that there is no corpus, behind 4", m.Err, len(m.warmup))
		}
		m.nothing(t)
	})
}

// TestTheGeneratorIsWatchedWhileItSends has prompts that take a second each to
// keep, and answers that go on for 1.2 s behind the end.
func TestTheGeneratorIsWatchedWhileItSends(t *testing.T) {
	settings := []string{"base_config.concurrency=4", "base_config.benchmark_duration=2", "mock.ttft=1500ms"}
	inTrouble(t, trouble{slow: time.Second}, settings, func(t *testing.T, m *measured) {
		if m.Outcome.Elapsed != 3200*time.Millisecond || m.Outcome.StoppedAt != 2*time.Second || m.Health.Wall != 2*time.Second {
			t.Errorf("outcome %+v, watched for %v; want 2s of 3.2s", m.Outcome, m.Health.Wall)
		}
	})
}

func TestARunThatIsTooShortForARequestFails(t *testing.T) {
	settings := []string{"base_config.concurrency=2", "base_config.benchmark_duration=10", "base_config.grace_period=5", "mock.ttft=60s", "base_config.start=together"}
	inVirtualTime(t, settings, func(t *testing.T, m *measured) {
		if c := m.Summary.Counts; c.OK != 0 || c.Failed != 0 || c.Cancelled != 2 || m.Outcome.Cancelled {
			t.Errorf("counts %+v, want two cancelled, not by the user", c)
		}
		if !errors.Is(m.Err, runner.ErrNoneFinished) {
			t.Fatalf("error %v, want that none finished", m.Err)
		}
		for _, word := range []string{"benchmark_duration", "grace_period", "5s", "sent, 2;"} {
			if !strings.Contains(m.Err.Error(), word) {
				t.Errorf("error %q does not say %q", m.Err, word)
			}
		}
	})
	// Whoever interrupts knows why nothing was finished.
	inTrouble(t, trouble{stop: time.Second}, settings, func(t *testing.T, m *measured) {
		if m.Err != nil || !m.Outcome.Cancelled || m.Summary.Counts.Cancelled != 2 {
			t.Errorf("error %v, counts %+v; want no error", m.Err, m.Summary.Counts)
		}
	})
}

// TestAnEndpointThatBootsInTheWarmUp refuses the warm-up's first three requests:
// the second comes 25 to 50 ms after the first, the third 50 to 100 ms after that,
// and the fourth 100 to 200 ms later.
func TestAnEndpointThatBootsInTheWarmUp(t *testing.T) {
	settings := []string{"base_config.concurrency=1", "base_config.request_count=20", "base_config.warmup_request_count=4"}
	inTrouble(t, trouble{boots: 160 * time.Millisecond}, settings, func(t *testing.T, m *measured) {
		failed := slices.DeleteFunc(slices.Clone(m.warmup), func(r loadgen.Record) bool { return r.OK() })
		if len(failed) != 3 || m.Summary.Counts.OK != 20 {
			t.Fatalf("%d of the warm-up failed, counts %+v; want 3 and 20 ok", len(failed), m.Summary.Counts)
		}
		// All go over the connection that the fourth of the warm-up made.
		if tr := m.Transport; tr.DialErrors != 0 || tr.Opened != 1 || tr.Reused != 20 {
			t.Errorf("transport %+v, want 20 requests on an open connection, and no failed dial", tr)
		}
		for _, s := range m.Summary.Validity.Signs {
			if s.Name == "dial_errors" && s.Value != 0 {
				t.Errorf("the verdict holds the warm-up against the run: %+v", s)
			}
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
			for _, r := range m.Summary.Validity.Reasons {
				notes += "; " + r.Text
			}
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
				"base_config.budgets=" + c.budgets, "mock.faults=" + c.faults, "base_config.start=together",
			}
			inVirtualTime(t, settings, func(t *testing.T, m *measured) {
				if got := m.Missed(); !slices.Equal(got, c.missed) {
					t.Errorf("missed %q, want %q", got, c.missed)
				}
			})
		})
	}
}
