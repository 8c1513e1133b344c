package runner

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"loadgen/hook"
	"loadgen/internal/outside"
	"loadgen/metrics"
	"loadgen/sweep"
)

// hooks does the hooks of a key, one after another, of a run or, for those of the
// batch, of none. The first that fails, and may not, ends them with its error.
func (r *Runner) hooks(ctx context.Context, key string, hooks []sweep.Hook, run *sweep.Run) error {
	if r.Step != nil {
		return nil // who has the plan does them, once
	}
	for i := range hooks {
		name := fmt.Sprintf("Hook %s[%d]", key, i)
		said, took, err := r.do(ctx, key, &hooks[i], run)
		if err == nil {
			r.Log.Info(fmt.Sprintf("%s: done in %s", name, took.Round(time.Millisecond)))
			continue
		}
		if said != "" {
			err = fmt.Errorf("%w: %s", err, said)
		}
		if hooks[i].Fails(strings.HasPrefix(key, "before")) {
			return fmt.Errorf("hook %s[%d] failed: %w", key, i, err)
		}
		r.Log.Warn(fmt.Sprintf("%s failed: %v", name, err))
	}
	return nil
}

// begin does the hooks before a run: where its cell is another than that of the run
// before, those behind that one and before this one as well. A service that they may
// have started has to be there behind them.
func (r *Runner) begin(ctx context.Context, run *sweep.Run) error {
	if r.last == nil || cellOf(r.last) != cellOf(run) {
		if err := r.endCell(ctx); err != nil {
			r.Log.Error(err.Error())
		}
		r.last = run
		if err := r.hooks(ctx, "before_cell", r.Batch.Hooks.BeforeCell, run); err != nil {
			r.last = nil // it is begun anew by its next run
			return r.unbegun(run, err)
		}
	}
	err := r.hooks(ctx, "before_run", r.Batch.Hooks.BeforeRun, run)
	if err == nil && r.Probe != nil && r.Step == nil && r.Batch.Hooks.MayStart() {
		if err = r.Probe(ctx, run.Cell); err != nil {
			r.last = nil // its next run begins the cell anew
			err = fmt.Errorf("behind its hooks: %w", err)
		}
	}
	return r.unbegun(run, err)
}

// unbegun gives a run that a hook kept from beginning a verdict that says so.
func (r *Runner) unbegun(run *sweep.Run, err error) error {
	if err == nil {
		return nil
	}
	collector, broken := metrics.NewCollector(run.Facts)
	if broken != nil {
		return err
	}
	return unsent(run, collector, err)
}

// endCell does the hooks behind the cell of the last run.
func (r *Runner) endCell(ctx context.Context) error {
	run := r.last
	if r.last = nil; run == nil {
		return nil
	}
	return r.hooks(ctx, "after_cell", r.Batch.Hooks.AfterCell, run)
}

// cellOf names the cell of a run: of a probe, that of its search.
func cellOf(run *sweep.Run) string {
	if probe := run.Cell.Probe; probe != nil && probe.Base != nil {
		return probe.Base.Dir
	}
	return run.Cell.Dir
}

// do does one, and returns what it said without secrets.
func (r *Runner) do(ctx context.Context, key string, h *sweep.Hook, run *sweep.Run) (said string, took time.Duration, err error) {
	c := &r.Batch.Base
	if run != nil {
		c = &run.Cell.Config
	} else if cells := r.Batch.Cells(); len(cells) > 0 {
		c = &cells[0].Config
	}
	settings, err := Client(c, r.Endpoint, r.Version, r.LookupEnv)
	if err != nil {
		return "", 0, err
	}
	do := hook.Hook{Command: h.Run, Body: h.Body, Timeout: h.Limit(), Dial: r.Dial}
	if method, address := h.Request(); address != "" {
		if strings.HasPrefix(address, "/") {
			service := settings.URL
			if !strings.Contains(service, "://") {
				service = "http://" + service
			}
			address = strings.TrimSuffix(strings.TrimRight(service, "/"), "/v1") + address
		}
		asked, err := target(address, settings)
		if err != nil {
			return "", 0, err
		}
		do.Method, do.URL, do.Header, do.TLS = method, address, asked.Header, asked.TLS
		if method == "POST" && h.Body == "" && len(c.ServerParameters) > 0 {
			body, err := json.Marshal(map[string]any{"server_parameters": c.ServerParameters})
			if err != nil {
				return "", 0, fmt.Errorf("server_parameters: %w", err)
			}
			do.Body = string(body)
		}
	}
	said, took, err = do.Do(ctx, r.hookEnv(key, c, settings.URL, run))
	secrets := settings.Secrets()
	if err != nil {
		err = fmt.Errorf("%s", outside.Line(secrets.Hide(err.Error())))
	}
	return outside.Text(secrets.Hide(said)), took, err
}

// hookEnv are the variables that tell a command what it is done for.
func (r *Runner) hookEnv(key string, c *sweep.Config, service string, run *sweep.Run) []string {
	env := []string{"LOADGEN_HOOK=" + key, "LOADGEN_BATCH=" + r.Batch.BatchName, "LOADGEN_MODEL=" + c.Model}
	if u, err := url.Parse(service); err == nil {
		env = append(env, "LOADGEN_URL="+u.Redacted())
	}
	if run != nil {
		env = append(env, "LOADGEN_CELL="+run.Cell.Dir, fmt.Sprintf("LOADGEN_REPEAT=%d", run.Number))
		for _, v := range run.Cell.Values {
			env = append(env, "LOADGEN_PARAM_"+variable(v.Key)+"="+fmt.Sprint(v.Value))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.ServerParameters)) {
		env = append(env, "LOADGEN_SERVER_"+variable(name)+"="+fmt.Sprint(c.ServerParameters[name]))
	}
	return env
}

// variable is a key as a shell knows it: letters, digits and underscores.
func variable(key string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToUpper(key))
}
