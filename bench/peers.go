package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A job is what a client is to do: requests in a closed loop, for some time or
// up to a count.
type job struct {
	url, path string
	streaming bool
	streams   int
	seconds   float64
	count     int // in place of seconds, after as many requests of warm-up as streams
	tokens    int // of an answer
	dir       string
}

// A peer is a client that can be asked to do a job.
type peer struct {
	name    string
	program string
	slow    bool // does a counted number of requests, in two rounds
	streams bool // tells the times inside a stream
	args    func(job) []string
	read    func(j job, out string) (count int, rate float64, err error)
}

// slowCount is how many requests a slow client sends; it would take minutes
// for more.
const slowCount = 1000

const prompt = "elem ridge slot antes relations menu enc loss lad rather matter answered sport selector mouse logged"

func (j job) body() string {
	return fmt.Sprintf(`{"model":"mock-model","messages":[{"role":"user","content":%q}],"stream":%t,"max_completion_tokens":%d}`,
		prompt, j.streaming, j.tokens)
}

// all returns the clients that are installed, and says which are not.
func (b *bench) all() (there []peer, missing []string) {
	for _, p := range []peer{
		{name: "loadgen", program: b.loadgen, streams: true, args: loadgenArgs(noAnalyses), read: readExport},
		{name: "loadgen, and its analyses", program: b.loadgen, args: loadgenArgs(""), read: readExport},
		{name: "wrk -t1", program: "wrk", args: wrkArgs("1"), read: readWrk},
		{name: "wrk -t2", program: "wrk", args: wrkArgs("2"), read: readWrk},
		{name: "hey", program: "hey", args: heyArgs, read: readHey},
		{name: "oha", program: "oha", args: ohaArgs, read: readHey},
		{name: "AIPerf", program: "aiperf", slow: true, streams: true, args: aiperfArgs, read: readExport},
		{name: "guidellm", program: "guidellm", slow: true, args: b.guidellmArgs, read: readGuidellm},
	} {
		if !b.wants(p.name) {
			continue
		}
		path, err := exec.LookPath(p.program)
		switch {
		case err != nil:
			missing = append(missing, p.name+" (not installed)")
			continue
		case p.name == "guidellm" && b.tokenizer == "":
			missing = append(missing, p.name+" (no -tokenizer given)")
			continue
		}
		p.program = path
		there = append(there, p)
	}
	return there, missing
}

// wants reports whether a client was asked for.
func (b *bench) wants(name string) bool {
	return b.clients == "" || slices.ContainsFunc(strings.Split(b.clients, ","), func(begin string) bool {
		return strings.HasPrefix(name, begin)
	})
}

// A measured is what a client said and cost.
type measured struct {
	count int
	rate  float64 // requests/s
	cost
}

func (b *bench) measure(p peer, j job) (measured, error) {
	var err error
	if j.dir, err = os.MkdirTemp(b.dir, "client-"); err != nil {
		return measured{}, err
	}
	defer os.RemoveAll(j.dir)
	return b.measureIn(p, j)
}

func (b *bench) measureIn(p peer, j job) (measured, error) {
	out, c, err := execute(b.ctx, j.dir, append([]string{p.program}, p.args(j)...)...)
	if err != nil {
		return measured{}, err
	}
	m := measured{cost: c}
	if m.count, m.rate, err = p.read(j, out); err == nil && m.count == 0 {
		err = errors.New("no request succeeded")
	}
	if err != nil {
		return m, fmt.Errorf("%s: %w\n%s", p.name, err, tail(out))
	}
	return m, nil
}

// batch writes a batch file and returns its path. Lines are added to its
// base_config.
func batch(dir, url, lines string) string {
	path := filepath.Join(dir, "batch.yaml")
	text := fmt.Sprintf(`batch_name: bench
output_base_dir: %s
base_config:
  model: mock-model
  url: %s
  grace_period: 60
%s`, dir, url, lines)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		panic(err) // the directory was made a moment ago
	}
	return path
}

// loadgenArgs returns what makes the arguments of loadgen. What is added to the
// batch file can leave out the analyses that follow a run: their cost is the
// same for short runs and long ones.
func loadgenArgs(more string) func(job) []string {
	return func(j job) []string {
		lines := fmt.Sprintf(`  endpoint: %s
  streaming: %t
  concurrency: %d
  start: together
  prompt_input_tokens_mean: 16
  prompt_output_tokens_mean: %d
`, j.path, j.streaming, j.streams, j.tokens)
		if j.count > 0 {
			lines += fmt.Sprintf("  request_count: %d\n  warmup_request_count: %d\n  warmup_handover: drain\n", j.count, j.streams)
		} else {
			lines += fmt.Sprintf("  benchmark_duration: %g\n  warmup_request_count: 0\n", j.seconds)
		}
		return runArgs(batch(j.dir, j.url, lines+more))
	}
}

// runArgs are the arguments that run a batch file, busy machine or not.
func runArgs(path string) []string {
	return []string{"--config-file", path, "--ui", "none", "--allow-invalid"}
}

func wrkArgs(threads string) func(job) []string {
	return func(j job) []string {
		script := filepath.Join(j.dir, "post.lua")
		text := fmt.Sprintf("wrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/json'\nwrk.body = %q\n", j.body())
		if err := os.WriteFile(script, []byte(text), 0o644); err != nil {
			panic(err)
		}
		return []string{"-t" + threads, "-c" + strconv.Itoa(j.streams), fmt.Sprintf("-d%.0fs", j.seconds), "-s", script, j.url + j.path}
	}
}

func heyArgs(j job) []string {
	return []string{
		"-z", fmt.Sprintf("%gs", j.seconds), "-c", strconv.Itoa(j.streams), "-m", "POST",
		"-T", "application/json", "-d", j.body(), j.url + j.path,
	}
}

func ohaArgs(j job) []string { return append([]string{"--no-tui"}, heyArgs(j)...) }

// aiperfArgs counts with AIPerf's own tokenizer, whose vocabulary must lie where
// TIKTOKEN_CACHE_DIR says if the network has it not.
func aiperfArgs(j job) []string {
	count := slowCount
	args := []string{
		"profile", "-m", "mock-model", "--tokenizer", "builtin", "--url", j.url, "--endpoint-type", "chat", "--endpoint", j.path,
		"--concurrency", strconv.Itoa(j.streams), "--ui", "none", "--artifact-dir", j.dir,
		"--synthetic-input-tokens-mean", "16", "--synthetic-input-tokens-stddev", "0",
		"--output-tokens-mean", strconv.Itoa(j.tokens), "--output-tokens-stddev", "0",
	}
	if j.count > 0 {
		count = j.count
		args = append(args, "--warmup-request-count", strconv.Itoa(j.streams))
	}
	if j.streaming {
		args = append(args, "--streaming")
	}
	return append(args, "--request-count", strconv.Itoa(count))
}

func (b *bench) guidellmArgs(j job) []string {
	base := j.url + j.path[:len(j.path)-len(jsonPath)]
	return []string{
		"run", "--disable-console",
		"--backend", fmt.Sprintf("kind=openai_http,target=%s,model=mock-model,stream=%t", base, j.streaming),
		"--profile", fmt.Sprintf("kind=concurrent,streams=%d", j.streams),
		"--constraint", fmt.Sprintf("kind=max_requests,count=%d", slowCount),
		"--tokenizer", "kind=hf_auto,model=" + b.tokenizer,
		"--data", fmt.Sprintf("kind=synthetic_text,prompt_tokens=16,output_tokens=%d", j.tokens),
		"--output", "kind=json,path=" + filepath.Join(j.dir, "guidellm.json"),
	}
}

// readExport reads profile_export_aiperf.json, which loadgen and AIPerf write
// alike.
func readExport(j job, _ string) (int, float64, error) {
	var e export
	if err := readJSON(j.dir, "profile_export_aiperf.json", &e); err != nil {
		return 0, 0, err
	}
	if e.Failures.Avg > 0 {
		return 0, 0, fmt.Errorf("%v requests failed", e.Failures.Avg)
	}
	return int(e.Count.Avg), e.Rate.Avg, nil
}

func readGuidellm(j job, _ string) (int, float64, error) {
	var report struct {
		Benchmarks []struct {
			Metrics struct {
				Totals struct{ Successful, Errored int }           `json:"request_totals"`
				Rate   struct{ Successful struct{ Mean float64 } } `json:"requests_per_second"`
			}
		}
	}
	if err := readJSON(j.dir, "guidellm.json", &report); err != nil {
		return 0, 0, err
	}
	if len(report.Benchmarks) == 0 {
		return 0, 0, errors.New("the report is empty")
	}
	m := report.Benchmarks[0].Metrics
	if m.Totals.Errored > 0 {
		return 0, 0, fmt.Errorf("%d requests failed", m.Totals.Errored)
	}
	return m.Totals.Successful, m.Rate.Successful.Mean, nil
}

var (
	wrkCount = regexp.MustCompile(`(\d+) requests in`)
	heyCount = regexp.MustCompile(`\[200\]\s+(\d+) responses`)
	textRate = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)
	wrkWrong = regexp.MustCompile(`Non-2xx or 3xx responses: \d+|Socket errors: .*`)
)

func readWrk(_ job, out string) (int, float64, error) {
	if wrong := wrkWrong.FindString(out); wrong != "" {
		return 0, 0, errors.New(wrong)
	}
	return readText(out, wrkCount)
}

func readHey(_ job, out string) (int, float64, error) { return readText(out, heyCount) }

func readText(out string, counted *regexp.Regexp) (int, float64, error) {
	n, rate := counted.FindStringSubmatch(out), textRate.FindStringSubmatch(out)
	if n == nil || rate == nil {
		return 0, 0, errors.New("no figures in what it printed")
	}
	count, err := strconv.Atoi(n[1])
	if err != nil {
		return 0, 0, err
	}
	perSecond, err := strconv.ParseFloat(rate[1], 64)
	return count, perSecond, err
}

// find returns the one file of a name somewhere below a directory.
func find(dir, name string) (string, error) {
	for _, pattern := range []string{"", "*", "*/*", "*/*/*"} {
		if found, _ := filepath.Glob(filepath.Join(dir, pattern, name)); len(found) > 0 {
			return found[0], nil
		}
	}
	return "", fmt.Errorf("it left no %s", name)
}

func readJSON(dir, name string, v any) error {
	path, err := find(dir, name)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}
