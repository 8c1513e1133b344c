package sink

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"loadgen"
	"loadgen/internal/outside"
	"loadgen/sweep"
)

// mlflowRuns puts every run that has figures into a directory as MLflow keeps
// one (a tracking store of files): an experiment a batch file, a run a run. Run
// ids come from the run's directory and time, so that what is written again
// replaces itself. A search is a run, too, and its probes are nested below it.
func mlflowRuns(_ context.Context, b *Batch, e *sweep.Export, o *Options) (string, error) {
	runs := b.fit()
	if len(runs) == 0 && b.Searches == nil {
		return "", errNoRun
	}
	root := cmp.Or(e.Dir, o.Tracking)
	experiment, err := mlflowExperiment(root, b)
	if err != nil {
		return "", err
	}
	in := filepath.Join(root, experiment)
	parents := map[*Run]string{}
	for i := range b.Searches {
		c := &b.Searches[i]
		search := mlflowSearch(b, c)
		for _, r := range b.runsOf(c) {
			parents[r] = search.id
		}
		if err := search.write(in, experiment, o.Version); err != nil {
			return "", fmt.Errorf("%s: %w", search.name, err)
		}
	}
	for _, r := range runs {
		run := mlflowRun(r)
		if parent := parents[r]; parent != "" {
			run.tags["mlflow.parentRunId"] = parent
		}
		if err := run.write(in, experiment, o.Version); err != nil {
			return "", fmt.Errorf("%s: %w", r.Name, err)
		}
	}
	return root, nil
}

// mlflowExperiment makes the experiment of a batch, unless it is there.
func mlflowExperiment(root string, b *Batch) (string, error) {
	sum := sha256.Sum256([]byte("loadgen " + b.Name))
	// MLflow's ids are 18 digits.
	n := uint64(0)
	for _, x := range sum[:8] {
		n = n<<8 | uint64(x)
	}
	id := strconv.FormatUint(1e17+n%(9*1e17), 10)
	dir := filepath.Join(root, id)
	if _, err := os.Stat(filepath.Join(dir, "meta.yaml")); !errors.Is(err, fs.ErrNotExist) {
		return id, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	at := b.began().UnixMilli()
	return id, mlflowMeta(dir, [][2]string{
		{"artifact_location", quoted("file://" + absolute(dir))},
		{"creation_time", strconv.FormatInt(at, 10)},
		{"experiment_id", "'" + id + "'"},
		{"last_update_time", strconv.FormatInt(at, 10)},
		{"lifecycle_stage", "active"},
		{"name", quoted(b.Name)},
	})
}

// The numbers of MLflow's RunStatus and SourceType.
const (
	mlflowFinished = 3
	mlflowFailed   = 4
	mlflowKilled   = 5
	mlflowLocal    = 4
)

// An mlflowEntry is a run as MLflow has one.
type mlflowEntry struct {
	id, name, artifacts string
	from, to            time.Time
	status              int
	metrics             map[string]float64
	params, tags        map[string]string
	errs                []error
}

// mlflowRun is a run of the batch.
func mlflowRun(r *Run) *mlflowEntry {
	e := newEntry(absolute(r.Dir)+r.Meta.Timestamp.String(), r.Name, r.Dir)
	e.from, e.to = r.Started, r.Ended
	e.status = map[loadgen.Status]int{loadgen.Completed: mlflowFinished, loadgen.Interrupted: mlflowKilled}[r.Status]
	for _, m := range r.Summary.Metrics {
		if m.Value != nil {
			e.metrics[m.Tag] = *m.Value
			continue
		}
		for _, stat := range []string{"avg", "min", "max", "std", "p50", "p90", "p95", "p99"} {
			if v, ok := m.Stats.Named(stat); ok {
				e.metrics[m.Tag+"."+stat] = v
			}
		}
	}
	e.settings(llmdArgs(r))
	e.tags["verdict"], e.tags["status"] = r.Verdict(), string(r.Status)
	if r.Unfit != "" {
		e.tags["unfit"] = outside.Text(r.Unfit)
	}
	if r.Probe != nil {
		e.tags["probe"] = r.Probe.kind()
	}
	if r.Meta.Label != "" {
		e.tags["label"] = r.Meta.Label
	}
	return e
}

func newEntry(identity, name, dir string) *mlflowEntry {
	sum := sha256.Sum256([]byte(identity))
	return &mlflowEntry{
		id: hex.EncodeToString(sum[:16]), name: name, artifacts: absolute(dir),
		metrics: map[string]float64{}, params: map[string]string{}, tags: map[string]string{},
	}
}

// settings puts a configuration among the parameters.
func (e *mlflowEntry) settings(config map[string]any) {
	for key, v := range config {
		text, isText := v.(string)
		if !isText {
			data, err := json.Marshal(v)
			e.errs = append(e.errs, err)
			text = string(data)
		}
		e.params[key] = cutText(outside.Line(text), 500) // MLflow's bound is 6000
	}
}

// write puts the run into the directory of its experiment.
func (e *mlflowEntry) write(in, experiment, version string) error {
	dir := filepath.Join(in, e.id)
	// A search that went on may have lost a number that it had.
	if err := os.RemoveAll(filepath.Join(dir, "metrics")); err != nil {
		return err
	}
	for _, below := range []string{"metrics", "params", "tags", "artifacts"} {
		if err := os.MkdirAll(filepath.Join(dir, below), 0o755); err != nil {
			return err
		}
	}
	at := e.to.UnixMilli()
	errs := append(e.errs, mlflowMeta(dir, [][2]string{
		{"artifact_uri", quoted("file://" + e.artifacts)},
		{"end_time", strconv.FormatInt(at, 10)},
		{"entry_point_name", "''"},
		{"experiment_id", "'" + experiment + "'"},
		{"lifecycle_stage", "active"},
		{"run_id", e.id},
		{"run_name", quoted(e.name)},
		{"run_uuid", e.id},
		{"source_name", "''"},
		{"source_type", strconv.Itoa(mlflowLocal)},
		{"source_version", "''"},
		{"start_time", strconv.FormatInt(e.from.UnixMilli(), 10)},
		{"status", strconv.Itoa(cmp.Or(e.status, mlflowFailed))},
		{"tags", "[]"},
		{"user_id", "''"},
	}))
	put := func(kind, name, text string) {
		errs = append(errs, os.WriteFile(filepath.Join(dir, kind, mlflowName(name)), []byte(text), 0o644))
	}
	for name, v := range e.metrics {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			put("metrics", name, fmt.Sprintf("%d %s 0\n", at, strconv.FormatFloat(v, 'g', -1, 64)))
		}
	}
	for name, text := range e.params {
		put("params", name, text)
	}
	e.tags["mlflow.runName"], e.tags["mlflow.source.name"], e.tags["mlflow.source.type"] = e.name, "loadgen "+version, "LOCAL"
	for name, text := range e.tags {
		put("tags", name, text)
	}
	return errors.Join(errs...)
}

// mlflowMeta writes a meta.yaml, whose keys are sorted.
func mlflowMeta(dir string, pairs [][2]string) error {
	slices.SortFunc(pairs, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	var b strings.Builder
	for _, p := range pairs {
		fmt.Fprintf(&b, "%s: %s\n", p[0], p[1])
	}
	return os.WriteFile(filepath.Join(dir, "meta.yaml"), []byte(b.String()), 0o644)
}

// mlflowName is the name of a metric, parameter or tag as the name of its file:
// letters, digits and what MLflow allows beside them.
func mlflowName(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-. ", r) {
			return r
		}
		return '_'
	}, name)
}

// quoted is a text in YAML's double quotes, which JSON's are.
func quoted(text string) string {
	data, err := json.Marshal(text)
	if err != nil {
		return "''"
	}
	return string(data)
}

func absolute(path string) string {
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return path
}
