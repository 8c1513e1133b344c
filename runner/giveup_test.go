package runner_test

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"loadgen/runner"
	"loadgen/sweep"
)

// TestADeadEndpointIsGivenUp has an hour to measure in, in every way to be dead.
func TestADeadEndpointIsGivenUp(t *testing.T) {
	dials := func(err error) func(context.Context) (net.Conn, error) {
		return func(context.Context) (net.Conn, error) { return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	}
	for name, c := range map[string]struct {
		dial     func(context.Context) (net.Conn, error)
		settings []string
		want     error
		most     int           // requests
		within   time.Duration // from the beginning
	}{
		"refuses": {dials(syscall.ECONNREFUSED), nil, runner.ErrEndpointGone, 100, 20 * time.Second},
		"drops packets": {
			func(ctx context.Context) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() },
			[]string{"base_config.request_timeout=5"},
			runner.ErrGivenUp, 50, time.Minute,
		},
		"drops packets of connections alone": {
			func(ctx context.Context) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() },
			nil, runner.ErrEndpointGone, 0, 11 * time.Second, // those opened before the load
		},
		"drops packets of connections that were not opened before": {
			func(ctx context.Context) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() },
			[]string{"base_config.preconnect=false"},
			runner.ErrEndpointGone, 10, 40 * time.Second,
		},
		"answers 503 at once": {nil, []string{"mock.faults=[{kind: status, status: 503}]"}, runner.ErrGivenUp, 100, 20 * time.Second},
		"answers 503 in the warm-up": {
			nil,
			[]string{"mock.faults=[{kind: status, status: 503}]", "base_config.warmup_request_count=1000"},
			runner.ErrGivenUp, 0, 20 * time.Second,
		},
		"hangs in the warm-up": {
			nil,
			[]string{"mock.faults=[{kind: slow_head}]", "base_config.warmup_request_count=1000"},
			runner.ErrGivenUp, 0, 61 * time.Second,
		},
		"hangs in the warm-up of a run that ends by its number": {
			nil,
			[]string{"mock.faults=[{kind: slow_head}]", "base_config.warmup_request_count=10", "base_config.request_count=100"},
			runner.ErrGivenUp, 0, 61 * time.Second,
		},
		"hangs in a warm-up that drains": {
			nil,
			[]string{"mock.faults=[{kind: slow_head}]", "base_config.warmup_request_count=10", "base_config.warmup_handover=drain"},
			runner.ErrGivenUp, 0, 61 * time.Second,
		},
		"hangs from the first request on": {nil, []string{"mock.faults=[{kind: slow_head}]"}, runner.ErrGivenUp, 4, 61 * time.Second},
		"hangs from some request on":      {nil, []string{"mock.faults=[{kind: slow_head, probability: 0.02}]"}, runner.ErrGivenUp, 4000, 3 * time.Minute},
		"breaks off every answer":         {nil, []string{"mock.faults=[{kind: cut, after: 2}]"}, runner.ErrGivenUp, 100, 20 * time.Second},
		"out of descriptors":              {dials(os.NewSyscallError("socket", syscall.EMFILE)), nil, runner.ErrLocal, 100, 20 * time.Second},
		"out of ports":                    {dials(os.NewSyscallError("connect", syscall.EADDRNOTAVAIL)), nil, runner.ErrLocal, 100, 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			settings := append([]string{"base_config.concurrency=4", "base_config.benchmark_duration=3600"}, c.settings...)
			inTrouble(t, trouble{dial: c.dial}, settings, func(t *testing.T, m *measured) {
				if !errors.Is(m.Err, c.want) || errors.Is(m.Err, runner.ErrEndpointGone) != (c.want == runner.ErrEndpointGone) {
					t.Errorf("error %v, want %v", m.Err, c.want)
				}
				if m.took > c.within || m.Outcome.Issued > c.most || m.Outcome.Cancelled || !strings.Contains(m.Outcome.Cut, "given up") {
					t.Errorf("over after %v, outcome %+v; want at most %d requests within %v, given up", m.took, m.Outcome, c.most, c.within)
				}
			})
		})
	}
}

// TestAHighRateFillsNoDiskInVain sends 20,000 requests a second, each of which the
// endpoint fails at once, or whose connections it refuses. 2 MiB are 1,398 records
// of 1,500 bytes, and fewer with what was sent.
func TestAHighRateFillsNoDiskInVain(t *testing.T) {
	refuses := func(context.Context) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	for name, c := range map[string]struct {
		dial     func(context.Context) (net.Conn, error)
		settings []string
		most     int
		within   time.Duration
	}{
		"503 at once":    {nil, []string{"mock.faults=[{kind: status, status: 503}]"}, 1398 + 20, time.Second},
		"in the warm-up": {nil, []string{"mock.faults=[{kind: status, status: 503}]", "base_config.warmup_request_count=100000"}, 0, time.Second},
		"refused":        {refuses, nil, 5100, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			settings := append([]string{"base_config.request_rate=20000", "base_config.benchmark_duration=60"}, c.settings...)
			inTrouble(t, trouble{dial: c.dial}, settings, func(t *testing.T, m *measured) {
				if !errors.Is(m.Err, runner.ErrGivenUp) || m.Outcome.Issued > c.most || len(m.warmup) > 1418 || m.took > c.within {
					t.Errorf("error %v after %v, %d requests and %d of the warm-up; want at most %d within %v", m.Err, m.took, m.Outcome.Issued, len(m.warmup), c.most, c.within)
				}
			})
		})
	}
}

// TestRareRequestsAreNoHang sends one every 100 s, of which each is answered at
// once, and one that takes 50 s.
func TestRareRequestsAreNoHang(t *testing.T) {
	for name, settings := range map[string][]string{
		"rare": {"base_config.request_rate=0.01", "base_config.benchmark_duration=1000"},
		"slow": {"base_config.concurrency=1", "base_config.request_count=10", "mock.ttft=50s"},
		"slow in the warm-up": {
			"base_config.concurrency=1", "base_config.request_count=10", "mock.ttft=50s", "base_config.warmup_request_count=2",
		},
		"of long answers": {
			"base_config.concurrency=1", "base_config.request_count=10", "base_config.prompt_output_tokens_mean=500", "mock.itl=400ms",
		},
	} {
		t.Run(name, func(t *testing.T) {
			inVirtualTime(t, settings, func(t *testing.T, m *measured) {
				if m.Err != nil || m.Summary.Counts.OK != 10 {
					t.Errorf("error %v, counts %+v; want ten that succeed", m.Err, m.Summary.Counts)
				}
			})
		})
	}
}

func TestARunMayGoOnWhateverFails(t *testing.T) {
	settings := []string{
		"base_config.concurrency=1", "base_config.benchmark_duration=60", "base_config.give_up_after=none",
		"mock.faults=[{kind: status, status: 503}]",
	}
	inVirtualTime(t, settings, func(t *testing.T, m *measured) {
		if !errors.Is(m.Err, runner.ErrAllFailed) || m.Outcome.Elapsed < 55*time.Second {
			t.Errorf("error %v, over at %v; want all of a minute but a pause", m.Err, m.Outcome.Elapsed)
		}
	})
}

// TestASlowEndpointThatRefusesSomeIsNotGivenUp has answers that take 40 s, and
// every third request is refused at once: no success comes for long.
func TestASlowEndpointThatRefusesSomeIsNotGivenUp(t *testing.T) {
	for name, load := range map[string]string{"a closed loop": "concurrency=8", "an open loop": "request_rate=1"} {
		t.Run(name, func(t *testing.T) {
			settings := []string{
				"base_config." + load, "base_config.benchmark_duration=100", "mock.ttft=40s",
				"mock.faults=[{kind: status, status: 503, every: 3}]",
			}
			inVirtualTime(t, settings, func(t *testing.T, m *measured) {
				if c := m.Summary.Counts; m.Err != nil || m.Outcome.Cut != "" || 2*c.Failed > c.OK+c.Cancelled {
					t.Errorf("error %v, cut %q, counts %+v; want two thirds to succeed", m.Err, m.Outcome.Cut, c)
				}
			})
		})
	}
}

func TestTooManyFailuresEndARun(t *testing.T) {
	settings := []string{
		"base_config.request_rate=10", "base_config.benchmark_duration=600", "base_config.max_error_rate=0.2",
		"mock.faults=[{kind: status, status: 503, every: 4}]",
	}
	inVirtualTime(t, settings, func(t *testing.T, m *measured) {
		if !errors.Is(m.Err, runner.ErrGivenUp) || !strings.Contains(m.Err.Error(), "of the latest") || m.Outcome.Elapsed > 5*time.Second {
			t.Errorf("error %v after %v; want it given up soon", m.Err, m.Outcome.Elapsed)
		}
	})
}

// TestABatchIsGivenUpWhereAllRunsWouldFareAlike has four cells.
func TestABatchIsGivenUpWhereAllRunsWouldFareAlike(t *testing.T) {
	gone := errors.New("no longer there")
	refusals := []string{"mock.faults=[{kind: status, status: 503}]"}
	for name, c := range map[string]struct {
		settings []string
		probe    func(context.Context, *sweep.Cell) error
		cells    int
	}{
		"two runs without a success":     {refusals, nil, 2},
		"a service that fails its check": {refusals, func(context.Context, *sweep.Cell) error { return gone }, 1},
		"a service that passes it":       {refusals, func(context.Context, *sweep.Cell) error { return nil }, 2},
		"no failures":                    {nil, func(context.Context, *sweep.Cell) error { return gone }, 4},
		"failures that are no end":       {append(refusals, "base_config.request_count=6"), nil, 4},
	} {
		t.Run(name, func(t *testing.T) {
			settings := append([]string{"sweeps.concurrency=[1, 2, 3, 4]", "base_config.benchmark_duration=30"}, c.settings...)
			inTrouble(t, trouble{probe: c.probe}, settings, func(t *testing.T, m *measured) {
				if m.cells != c.cells || c.cells < 4 && m.took > 40*time.Second {
					t.Errorf("%d cells were begun in %v, want %d", m.cells, m.took, c.cells)
				}
			})
		})
	}
}

// TestAnInterruptInASeamlessWarmUp comes before anything is measured.
func TestAnInterruptInASeamlessWarmUp(t *testing.T) {
	settings := []string{"base_config.concurrency=4", "base_config.request_count=40", "base_config.warmup_request_count=100"}
	inTrouble(t, trouble{stop: time.Second}, settings, func(t *testing.T, m *measured) {
		if m.Err != nil || !m.Outcome.Cancelled || m.Outcome.Issued != 0 || len(m.records) != 0 || len(m.warmup) == 0 || !m.Summary.Cancelled {
			t.Errorf("error %v, outcome %+v, %d records; want it cancelled in the warm-up", m.Err, m.Outcome, len(m.records))
		}
	})
}
