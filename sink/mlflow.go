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

	"loadgen"
	"loadgen/internal/outside"
	"loadgen/sweep"
)

// mlflowRuns puts every run that has figures into a directory as MLflow keeps
// one (a tracking store of files): an experiment a batch file, a run a run. Run
// ids come from the run's directory and time, so that what is written again
// replaces itself.
func mlflowRuns(_ context.Context, b *Batch, e *sweep.Export, o *Options) (string, error) {
	runs := b.fit()
	if len(runs) == 0 {
		return "", errNoRun
	}
	root := cmp.Or(e.Dir, o.Tracking)
	experiment, err := mlflowExperiment(root, b, runs[0])
	if err != nil {
		return "", err
	}
	for _, r := range runs {
		if err := mlflowRun(filepath.Join(root, experiment), experiment, b, r, o.Version); err != nil {
			return "", fmt.Errorf("%s: %w", r.Name, err)
		}
	}
	return root, nil
}

// mlflowExperiment makes the experiment of a batch, unless it is there.
func mlflowExperiment(root string, b *Batch, first *Run) (string, error) {
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
	at := first.Started.UnixMilli()
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

func mlflowRun(experimentDir, experiment string, b *Batch, r *Run, version string) error {
	sum := sha256.Sum256([]byte(absolute(r.Dir) + r.Meta.Timestamp.String()))
	id := hex.EncodeToString(sum[:16])
	dir := filepath.Join(experimentDir, id)
	for _, below := range []string{"metrics", "params", "tags", "artifacts"} {
		if err := os.MkdirAll(filepath.Join(dir, below), 0o755); err != nil {
			return err
		}
	}
	status := map[loadgen.Status]int{loadgen.Completed: mlflowFinished, loadgen.Interrupted: mlflowKilled}[r.Status]
	at := r.Ended.UnixMilli()
	errs := []error{mlflowMeta(dir, [][2]string{
		{"artifact_uri", quoted("file://" + absolute(r.Dir))},
		{"end_time", strconv.FormatInt(at, 10)},
		{"entry_point_name", "''"},
		{"experiment_id", "'" + experiment + "'"},
		{"lifecycle_stage", "active"},
		{"run_id", id},
		{"run_name", quoted(r.Name)},
		{"run_uuid", id},
		{"source_name", "''"},
		{"source_type", strconv.Itoa(mlflowLocal)},
		{"source_version", "''"},
		{"start_time", strconv.FormatInt(r.Started.UnixMilli(), 10)},
		{"status", strconv.Itoa(cmp.Or(status, mlflowFailed))},
		{"tags", "[]"},
		{"user_id", "''"},
	})}
	put := func(kind, name, text string) {
		errs = append(errs, os.WriteFile(filepath.Join(dir, kind, mlflowName(name)), []byte(text), 0o644))
	}
	for _, m := range r.Summary.Metrics {
		number := func(name string, v float64) {
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				put("metrics", name, fmt.Sprintf("%d %s 0\n", at, strconv.FormatFloat(v, 'g', -1, 64)))
			}
		}
		if m.Value != nil {
			number(m.Tag, *m.Value)
			continue
		}
		for _, stat := range []string{"avg", "min", "max", "std", "p50", "p90", "p95", "p99"} {
			if v, ok := m.Stats.Named(stat); ok {
				number(m.Tag+"."+stat, v)
			}
		}
	}
	for key, v := range llmdArgs(r) {
		text, isText := v.(string)
		if !isText {
			data, err := json.Marshal(v)
			errs = append(errs, err)
			text = string(data)
		}
		put("params", key, cutText(outside.Line(text), 500)) // MLflow's bound is 6000
	}
	put("tags", "mlflow.runName", r.Name)
	put("tags", "mlflow.source.name", "loadgen "+version)
	put("tags", "mlflow.source.type", "LOCAL")
	put("tags", "verdict", r.Verdict())
	put("tags", "status", string(r.Status))
	if r.Unfit != "" {
		put("tags", "unfit", outside.Text(r.Unfit))
	}
	if r.Meta.Label != "" {
		put("tags", "label", r.Meta.Label)
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
