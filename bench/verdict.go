package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"loadgen/mockllm"
)

const (
	verdictRuns   = 20
	verdictTokens = 32
	crowd         = 400 // streams that a tenth of a CPU, or one CPU against two of nginx, cannot carry
)

// A scenario is a client that has what it needs, or has not, and what the
// verdict on its runs ought to be.
type scenario struct {
	name, want string
	// run performs one run and returns where its artifacts are, and by how much
	// its TTFT p50 and p99 are off in milliseconds; NaN where nobody knows.
	run func(dir string) (off50, off99 float64, err error)
}

// verdict counts the verdicts on clients that are well and clients that starve.
func (b *bench) verdict() (string, error) {
	fast, err := startNginx(b.ctx, b.dir)
	if err != nil {
		return "", err
	}
	defer fast.stop()
	scenarios := []scenario{
		{"64 paced streams", "VALID", func(dir string) (float64, float64, error) { return b.pacedRun(dir, 64) }},
		{fmt.Sprintf("GOMAXPROCS=1, %d users of a stream of %d chunks at once", crowd, chunks), "INVALID", func(dir string) (float64, float64, error) {
			return math.NaN(), math.NaN(), b.crowdedRun(dir, fast.url)
		}},
	}
	group, remove, err := tenthOfACPU()
	if err == nil {
		defer remove()
		scenarios = append(scenarios, scenario{
			fmt.Sprintf("a CPU quota of 10 %%, %d paced streams", crowd), "INVALID",
			func(dir string) (float64, float64, error) { return b.pacedRun(dir, crowd, inGroup(group)...) },
		})
	} else {
		fmt.Fprintf(os.Stderr, "no client with a CPU quota: %v\n", err)
	}
	var text strings.Builder
	text.WriteString("| client | wanted | verdicts | reasons | TTFT p50 off, at most | p99 |\n|---|---|---|---|---:|---:|\n")
	for _, s := range scenarios {
		row, err := b.judge(s)
		if err != nil {
			return "", err
		}
		text.WriteString(row)
	}
	return text.String(), nil
}

// judge performs the runs of a scenario and returns the row of the table.
func (b *bench) judge(s scenario) (string, error) {
	verdicts, reasons := map[string]int{}, map[string]int{}
	var off50, off99 float64
	for i := range verdictRuns {
		dir, err := os.MkdirTemp(b.dir, "verdict-")
		if err != nil {
			return "", err
		}
		d50, d99, err := s.run(dir)
		if b.ctx.Err() != nil {
			return "", b.ctx.Err()
		}
		if err != nil {
			return "", fmt.Errorf("%s: %w", s.name, err)
		}
		off50, off99 = max(off50, math.Abs(d50)), max(off99, math.Abs(d99)) // NaN stays NaN
		v, why, err := readVerdict(dir)
		if err != nil {
			return "", err
		}
		verdicts[v]++
		for _, name := range why {
			reasons[name]++
		}
		fmt.Fprintf(os.Stderr, "%s, run %d: %s %v, TTFT p50 off by %.3f ms, p99 %.3f\n", s.name, i+1, v, why, d50, d99)
		os.RemoveAll(dir)
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s |\n", s.name, s.want,
		counted(verdicts, verdictRuns), counted(reasons, verdictRuns), milliseconds(off50), milliseconds(off99)), nil
}

// counted lists names with how often they were seen, the most frequent first.
func counted(seen map[string]int, of int) string {
	var names []string
	for name := range seen {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if seen[a] != seen[b] {
			return seen[b] - seen[a]
		}
		return strings.Compare(a, b)
	})
	for i, name := range names {
		names[i] = fmt.Sprintf("%s %d of %d", name, seen[name], of)
	}
	return strings.Join(names, ", ")
}

func milliseconds(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return fmt.Sprintf("%.3f ms", v)
}

// pacedRun has the client read paced streams, and holds its report against the
// endpoint's stamps. The warm-up opens the connections. Before the program
// stands what starts it.
func (b *bench) pacedRun(dir string, streams int, before ...string) (off50, off99 float64, err error) {
	server, err := b.startMock("--timing=fixed", "--ttft=200ms", "--itl=20ms", "--precise", "--stamps")
	if err != nil {
		return 0, 0, err
	}
	defer server.stop()
	args := runArgs(batch(dir, server.url, fmt.Sprintf(`  streaming: true
  concurrency: %d
  start: together
  warmup_handover: drain
  warmup_request_count: %d
  request_count: %d
  prompt_input_tokens_mean: 16
  prompt_output_tokens_mean: %d
`, streams, streams, 2*streams, verdictTokens)+noAnalyses))
	if _, _, err := execute(b.ctx, dir, slices.Concat(before, []string{b.loadgen}, args)...); err != nil {
		return 0, 0, err
	}
	stamps, err := mockllm.FetchStamps(b.ctx, server.url)
	if err != nil {
		return 0, 0, err
	}
	records, err := readRecords(dir)
	if err != nil {
		return 0, 0, err
	}
	d, err := deviationOf(records, stamps)
	return d.first50, d.first99, err
}

// crowdedRun has a client with one processor face two of an endpoint that is
// faster than it.
func (b *bench) crowdedRun(dir, url string) error {
	args := runArgs(batch(dir, url, fmt.Sprintf(`  endpoint: %s
  streaming: true
  concurrency: %d
  start: together
  warmup_request_count: 0
  benchmark_duration: 2
  prompt_input_tokens_mean: 16
  prompt_output_tokens_mean: %d
`, ssePath, crowd, chunks)+noAnalyses))
	_, _, err := execute(b.ctx, dir, slices.Concat([]string{"env", "GOMAXPROCS=1", b.loadgen}, args)...)
	return err
}

// readVerdict returns the verdict on the one run below dir and the names of its
// reasons.
func readVerdict(dir string) (verdict string, reasons []string, err error) {
	var e struct {
		Loadgen struct {
			Validity struct {
				Verdict string
				Reasons []struct{ Name string }
			}
		}
	}
	if err := readJSON(dir, "profile_export_aiperf.json", &e); err != nil {
		return "", nil, err
	}
	for _, r := range e.Loadgen.Validity.Reasons {
		reasons = append(reasons, r.Name)
	}
	return e.Loadgen.Validity.Verdict, reasons, nil
}

// tenthOfACPU makes a control group whose processes get 10 ms of CPU in every
// 100 ms, by whichever of the two hierarchies there is.
func tenthOfACPU() (group string, remove func(), err error) {
	name := fmt.Sprintf("loadgen-bench-%d", os.Getpid())
	for _, kind := range []struct{ root, file, quota string }{
		{"/sys/fs/cgroup", "cpu.max", "10000 100000"},
		{"/sys/fs/cgroup/cpu", "cpu.cfs_quota_us", "10000"},
	} {
		group = filepath.Join(kind.root, name)
		if _, err := os.Stat(filepath.Join(kind.root, "cgroup.procs")); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := os.Mkdir(group, 0o755); err != nil {
			return "", nil, err
		}
		if err := os.WriteFile(filepath.Join(group, kind.file), []byte(kind.quota), 0o644); err != nil {
			os.Remove(group)
			return "", nil, err
		}
		return group, func() { os.Remove(group) }, nil
	}
	return "", nil, errors.New("no control groups")
}

// inGroup is what starts a program inside a control group.
func inGroup(group string) []string {
	return []string{"sh", "-c", `echo $$ >"$0/cgroup.procs" && exec "$@"`, group}
}
