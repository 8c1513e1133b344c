package sink_test

import (
	"encoding/json"
	"encoding/xml"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"

	"loadgen"
	"loadgen/metrics"
	"loadgen/results"
	"loadgen/sink"
	"loadgen/sweep"
)

var (
	unknown = metrics.Bound(math.NaN())
	ttft    = metrics.Limit{Name: "time_to_first_token.p95", Bound: 500}
)

// An end is what became of a search, in one tier.
type end struct {
	tier, status, answer   string
	capacity, lower, upper metrics.Bound
	certified              bool
}

var (
	found  = end{status: "found", answer: "carries 46 users (44 to 48, 95 %)", capacity: 46, lower: 44, upper: 48, certified: true}
	noFail = end{status: "no_fail", answer: "carries at least 64 users", capacity: 64, lower: 64, upper: unknown}
	noPass = end{status: "no_pass", answer: "does not carry even the least load that was tried", capacity: unknown, lower: unknown, upper: unknown}
	// What it came to so far stands in its files, and is no answer.
	open = end{status: "open", answer: "carries at least 30 users: the search did not come to its end", capacity: 30, lower: 30, upper: unknown}
)

func (e end) of(tier string) end { e.tier = tier; return e }

// searched makes a batch of searches over concurrency, for each length of prompts that
// is given: its first has a probe at 46 users, which is a vote, and one at 92 that is
// none; those behind it were never begun.
func searched(t *testing.T, lengths []int, ends ...end) string {
	t.Helper()
	batch, err := results.CreateBatch(t.TempDir(), "night|1", epoch)
	if err != nil {
		t.Fatal(err)
	}
	defer batch.Close()
	manifest := &results.Manifest{BatchName: "night|1"}
	var cells []loadgen.Cell
	for i, n := range lengths {
		cell := loadgen.Cell{Index: i}
		if n > 0 {
			cell.Values, cell.Dir = []loadgen.Value{{Key: "prompt_input_tokens_mean", Value: n}}, "prompt"
		}
		cells = append(cells, cell)
		described, err := results.NewManifestCell(cell, "")
		if err != nil {
			t.Fatal(err)
		}
		manifest.Cells = append(manifest.Cells, described)
	}
	if err := batch.Declare(manifest, nil); err != nil {
		t.Fatal(err)
	}
	c := results.Capacity{Cell: cells[0], Over: "concurrency", Unit: "users", Confidence: 0.95, Precision: 0.05, Stopped: "resolution", MeasuredFor: 6, Notes: []string{"caches were *warm*"}}
	answers := map[string]string{}
	for _, e := range ends {
		answers[e.tier] = "pass"
		c.Tiers = append(c.Tiers, results.CapacityTier{
			Name: e.tier, Status: e.status, Answer: e.answer, Limits: []metrics.Limit{ttft}, Capacity: e.capacity, Lower: e.lower, Upper: e.upper,
			PassedAt: unknown, FailedAt: unknown, RefutedAt: unknown, BreaksAt: unknown, Certified: e.certified,
		})
	}
	for _, load := range []int{92, 46} {
		probe := results.CapacityProbe{Load: float64(load), Number: 1, Dir: probed(t, batch, cells[0], load), Purpose: "confirm", Answers: answers}
		if load == 92 {
			probe.Purpose, probe.Void, probe.Answers = "bracket", "INVALID: no CPU", nil
		}
		c.Probes = append(c.Probes, probe)
	}
	if err := batch.WriteCapacities([]results.Capacity{c}); err != nil {
		t.Fatal(err)
	}
	return batch.Dir
}

// probed makes a run of three requests at a load, and returns its directory.
func probed(t *testing.T, batch *results.Batch, cell loadgen.Cell, users int) string {
	t.Helper()
	cell.Values = append(cell.Values[:len(cell.Values):len(cell.Values)], loadgen.Value{Key: "concurrency", Value: users})
	cell.Dir = filepath.Join("search", cell.Dir, map[int]string{46: "concurrency46", 92: "concurrency92"}[users])
	facts := metrics.Facts{Load: loadgen.Load{Mode: loadgen.ClosedLoop, Users: users}}
	run, err := batch.Begin(results.Metadata{
		Timestamp: epoch, Cell: cell, Dir: results.ProbeDir(cell, 1), Repeat: 1, Facts: facts, Config: map[string]any{"model": "m", "concurrency": users},
	})
	if err != nil {
		t.Fatal(err)
	}
	collector, err := metrics.NewCollector(facts)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		rec := record(n)
		if err := run.Record(rec, collector.Add(rec)); err != nil {
			t.Fatal(err)
		}
	}
	if err := run.Close(); err != nil {
		t.Fatal(err)
	}
	outcome := loadgen.Outcome{Epoch: epoch.UnixNano(), Issued: 3, Elapsed: 3 * time.Second, StoppedAt: 3 * time.Second}
	if err := run.Finish(&results.Result{
		Summary: collector.Summary(outcome, loadgen.Health{}, loadgen.Transport{}), Outcome: outcome, Status: loadgen.Completed, Started: epoch, Ended: epoch.Add(3 * time.Second),
	}); err != nil {
		t.Fatal(err)
	}
	return results.ProbeDir(cell, 1)
}

// exported exports to a file and returns its text.
func exported(t *testing.T, dir, to, name string) string {
	t.Helper()
	if _, err := write(t, dir, &sink.Options{}, sweep.Export{To: to}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestMarkdownBeginsWithWhatASearchFound(t *testing.T) {
	const head = "## night\\|1\n\n"
	for _, tt := range []struct {
		name string
		dir  string
		want string
	}{
		{"one search", searched(t, []int{0}, found), head + "carries 46 users (44 to 48, 95 %)\n\n- caches were \\*warm\\*\n\n| probe | made to | limits | verdict | ok | failed |"},
		{
			"several cells and tiers, of which one was not begun", searched(t, []int{100, 200}, found.of("batch"), noPass.of("chat")),
			head + "**prompt_input_tokens_mean 100, batch**: carries 46 users (44 to 48, 95 %)\n\n" +
				"**prompt_input_tokens_mean 100, chat**: does not carry even the least load that was tried\n\n" +
				"**prompt_input_tokens_mean 200, batch**: is not known: no probe of the search came to its end\n\n" +
				"**prompt_input_tokens_mean 200, chat**: is not known: no probe of the search came to its end\n\n" +
				"- prompt_input_tokens_mean 100: caches were \\*warm\\*\n\n| probe |",
		},
	} {
		if got := exported(t, tt.dir, "markdown", sink.MarkdownName); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s:\n%s\nwant it to begin with\n%s", tt.name, got, tt.want)
		}
	}
	// Probes stand in the order of their loads, and say that they may break the limits.
	got := exported(t, searched(t, []int{0}, found), "markdown", sink.MarkdownName)
	vote, void := strings.Index(got, "| search/concurrency46/probe_0001 | confirm | pass |"), strings.Index(got, "| search/concurrency92/probe_0001 | bracket |  |")
	if vote < 0 || void < vote || !strings.Contains(got, "- search/concurrency92/probe_0001 proves nothing: INVALID: no CPU") {
		t.Errorf("the probes:\n%s", got)
	}
}

func TestJUnitJudgesTheAnswerAndNoProbe(t *testing.T) {
	for _, tt := range []struct {
		name             string
		lengths          []int
		ends             []end
		failures, errors int
		want             []string // the cases of answers
	}{
		{"a capacity", []int{0}, []end{found}, 0, 0, []string{"capacity"}},
		{"one that is not certified is told, and no failure", []int{0}, []end{{status: "found", answer: "carries 46 users; not certified", capacity: 46, lower: 40, upper: 50}}, 0, 0, []string{"capacity"}},
		{"nothing broke", []int{0}, []end{noFail}, 0, 0, []string{"capacity"}},
		{"even the least load broke a limit", []int{0}, []end{noPass}, 1, 0, []string{"capacity"}},
		{"no answer", []int{0}, []end{open}, 0, 1, []string{"capacity"}},
		{
			"a cell that was never begun has none",
			[]int{100, 200},
			[]end{found.of("batch"), noPass.of("chat")},
			1, 2,
			[]string{"capacity prompt_input_tokens_mean 100, batch", "capacity prompt_input_tokens_mean 100, chat", "capacity prompt_input_tokens_mean 200, batch", "capacity prompt_input_tokens_mean 200, chat"},
		},
	} {
		var s struct {
			Suite struct {
				Tests    int `xml:"tests,attr"`
				Failures int `xml:"failures,attr"`
				Errors   int `xml:"errors,attr"`
				Skipped  int `xml:"skipped,attr"`
				Cases    []struct {
					Name    string    `xml:"name,attr"`
					Failure *struct{} `xml:"failure"`
					Error   *struct{} `xml:"error"`
					Output  string    `xml:"system-out"`
				} `xml:"testcase"`
			} `xml:"testsuite"`
		}
		text := exported(t, searched(t, tt.lengths, tt.ends...), "junit", sink.JUnitName)
		if err := xml.Unmarshal([]byte(text), &s); err != nil {
			t.Fatal(err)
		}
		// Both probes are cases; the one that proves nothing is skipped.
		if got := s.Suite; got.Tests != len(tt.want)+2 || got.Failures != tt.failures || got.Errors != tt.errors || got.Skipped != 1 {
			t.Errorf("%s: %d tests, %d failures, %d errors, %d skipped", tt.name, got.Tests, got.Failures, got.Errors, got.Skipped)
		}
		var names []string
		for i, c := range s.Suite.Cases {
			if i < len(tt.want) {
				names = append(names, c.Name)
			} else if c.Failure != nil || c.Error != nil {
				t.Errorf("%s: the probe %s fails the job", tt.name, c.Name)
			}
		}
		if diff := cmp.Diff(tt.want, names); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
		if out := s.Suite.Cases[0].Output; !strings.Contains(out, tt.ends[0].answer) || !strings.Contains(out, "status "+tt.ends[0].status) {
			t.Errorf("%s: the case says %q", tt.name, out)
		}
	}
}

func TestGaugesOfASearchAreThereWhereThereIsAnAnswer(t *testing.T) {
	const labels = `model="m",over="concurrency",unit="users"`
	for _, tt := range []struct {
		name string
		end  end
		want []string
	}{
		{"a capacity", found, []string{
			"loadgen_capacity{" + labels + "} 46", "loadgen_capacity_lower{" + labels + "} 44", "loadgen_capacity_upper{" + labels + "} 48",
			"loadgen_capacity_certified{" + labels + "} 1", "loadgen_capacity_status{" + labels + `,status="found"} 1`,
		}},
		{"of a tier", found.of("chat"), []string{
			"loadgen_capacity{" + labels + `,tier="chat"} 46`, "loadgen_capacity_lower{" + labels + `,tier="chat"} 44`, "loadgen_capacity_upper{" + labels + `,tier="chat"} 48`,
			"loadgen_capacity_certified{" + labels + `,tier="chat"} 1`, "loadgen_capacity_status{" + labels + `,tier="chat",status="found"} 1`,
		}},
		{"nothing broke: only that much is known", noFail, []string{
			"loadgen_capacity_lower{" + labels + "} 64", "loadgen_capacity_certified{" + labels + "} 0", "loadgen_capacity_status{" + labels + `,status="no_fail"} 1`,
		}},
		{"everything broke", noPass, []string{"loadgen_capacity_certified{" + labels + "} 0", "loadgen_capacity_status{" + labels + `,status="no_pass"} 1`}},
		{"no answer", open, []string{"loadgen_capacity_certified{" + labels + "} 0", "loadgen_capacity_status{" + labels + `,status="open"} 1`}},
	} {
		r := newReceiver(t, 202, nil)
		if _, err := write(t, searched(t, []int{0}, tt.end), &sink.Options{}, sweep.Export{To: "pushgateway", URL: r.URL}); err != nil {
			t.Fatal(err)
		}
		text := string(r.bodies["PUT /metrics/job/loadgen/batch@base64/bmlnaHR8MQ"])
		var got []string
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "loadgen_capacity") {
				got = append(got, strings.TrimSpace(line))
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
		if !strings.Contains(text, `loadgen_valid{run="search/concurrency46/probe_0001",model="m",probe="confirm",sweep_concurrency="46"}`) {
			t.Errorf("%s: a probe is not told apart from a run:\n%s", tt.name, text)
		}
	}
}

func TestASearchIsARunOfMLflowAboveItsProbes(t *testing.T) {
	tracking := t.TempDir()
	dir := searched(t, []int{100, 200}, found.of("batch"), noPass.of("chat"))
	for range 2 {
		if _, err := write(t, dir, &sink.Options{Tracking: tracking}, sweep.Export{To: "mlflow"}); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]string{}
	names, err := filepath.Glob(filepath.Join(tracking, "*", "*", "tags", "mlflow.runName"))
	if err != nil || len(names) != 4 {
		t.Fatalf("%q, %v: want two searches and two probes", names, err)
	}
	read := func(dir, name string) string {
		text, _ := os.ReadFile(filepath.Join(dir, name))
		return string(text)
	}
	parents := map[string]int{}
	for _, name := range names {
		run := filepath.Dir(filepath.Dir(name))
		title := read(run, "tags/mlflow.runName")
		if !strings.HasPrefix(title, "capacity") {
			parents[read(run, "tags/mlflow.parentRunId")]++
			continue
		}
		files, err := filepath.Glob(filepath.Join(run, "metrics", "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			got[title+" "+filepath.Base(f)] = strings.Fields(read(run, "metrics/"+filepath.Base(f)))[1]
		}
		for _, tag := range []string{"status.batch", "status.chat"} {
			got[title+" "+tag] = read(run, "tags/"+tag)
		}
		if title == "capacity prompt_input_tokens_mean 100" {
			parents[filepath.Base(run)] += 10
			if unit, length := read(run, "params/search.unit"), read(run, "params/prompt_input_tokens_mean"); unit != "users" || length != "100" {
				t.Errorf("the unit is %q, the length %q", unit, length)
			}
		}
	}
	a, b := "capacity prompt_input_tokens_mean 100 ", "capacity prompt_input_tokens_mean 200 "
	want := map[string]string{
		a + "capacity.batch": "46", a + "capacity_lower.batch": "44", a + "capacity_upper.batch": "48", a + "capacity_certified.batch": "1", a + "status.batch": "found",
		a + "capacity_certified.chat": "0", a + "status.chat": "no_pass",
		b + "capacity_certified.batch": "0", b + "capacity_certified.chat": "0", b + "status.batch": "open", b + "status.chat": "open",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(parents) != 1 {
		t.Errorf("the probes are not all below their search: %v", parents)
	}
}

func TestOTLPHasTheCapacityAtTheEndOfItsSearch(t *testing.T) {
	r := newReceiver(t, 200, nil)
	if _, err := write(t, searched(t, []int{100}, found.of("batch"), noPass.of("chat")), &sink.Options{}, sweep.Export{To: "otlp", URL: r.URL}); err != nil {
		t.Fatal(err)
	}
	var data metricspb.MetricsData
	if err := proto.Unmarshal(r.bodies["POST /v1/metrics"], &data); err != nil {
		t.Fatal(err)
	}
	type point struct {
		Name, Unit, Tier, Status string
		Value                    float64
		At                       uint64
	}
	var got []point
	for _, m := range data.ResourceMetrics[0].ScopeMetrics[0].Metrics {
		for _, p := range m.GetGauge().DataPoints {
			at := point{Name: m.Name, Unit: m.Unit, Value: p.GetAsDouble(), At: p.TimeUnixNano}
			for _, a := range p.Attributes {
				switch a.Key {
				case "tier":
					at.Tier = a.Value.GetStringValue()
				case "status":
					at.Status = a.Value.GetStringValue()
				}
			}
			got = append(got, at)
		}
	}
	end := uint64(epoch.Add(3 * time.Second).UnixNano())
	want := []point{
		{"loadgen.capacity", "{users}", "batch", "", 46, end},
		{"loadgen.capacity_lower", "{users}", "batch", "", 44, end},
		{"loadgen.capacity_upper", "{users}", "batch", "", 48, end},
		{"loadgen.capacity_certified", "1", "batch", "", 1, end},
		{"loadgen.capacity_certified", "1", "chat", "", 0, end},
		{"loadgen.capacity_status", "1", "batch", "found", 1, end},
		{"loadgen.capacity_status", "1", "chat", "no_pass", 1, end},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	attributes := map[string]string{}
	for _, a := range data.ResourceMetrics[0].Resource.Attributes {
		attributes[a.Key] = a.Value.String()
	}
	for _, key := range []string{"loadgen.batch", "loadgen.sweep.prompt_input_tokens_mean", "loadgen.search.over", "gen_ai.request.model"} {
		if attributes[key] == "" {
			t.Errorf("%s is missing: %v", key, attributes)
		}
	}
}

func TestParquetKeepsTheCapacitiesBesideItsRows(t *testing.T) {
	dir := searched(t, []int{0}, found.of("batch"), open.of("chat"))
	if _, err := write(t, dir, &sink.Options{}, sweep.Export{To: "parquet"}); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(dir, sink.ParquetName))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	table, err := parquet.OpenFile(f, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	text, _ := table.Lookup("loadgen.capacities")
	var got []map[string]any
	if err := json.Unmarshal([]byte(text), &got); err != nil || len(got) != 2 {
		t.Fatalf("%q: %v", text, err)
	}
	if a := got[0]; a["tier"] != "batch" || a["capacity"] != 46.0 || a["capacity_lower"] != 44.0 || a["capacity_upper"] != 48.0 || a["unit"] != "users" || a["certified"] != true {
		t.Errorf("the first: %v", a)
	}
	if _, known := got[1]["capacity"]; known || got[1]["status"] != "open" {
		t.Errorf("one without an answer: %v", got[1])
	}
}
