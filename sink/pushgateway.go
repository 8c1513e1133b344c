package sink

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"loadgen/internal/outside"
	"loadgen/sweep"
)

// pushgateway puts the figures of a batch's runs into a group of a Pushgateway,
// in place of those of the night before.
func pushgateway(ctx context.Context, b *Batch, e *sweep.Export, o *Options) (string, error) {
	if len(b.fit()) == 0 {
		return "", errNoRun
	}
	var body bytes.Buffer
	exposition(&body, b)
	// A name with a slash is given in base64, as the gateway wants it.
	group := "/metrics/job/loadgen/batch@base64/" + base64.RawURLEncoding.EncodeToString([]byte(b.Name))
	address := strings.TrimSuffix(e.URL, "/") + group
	return address, post(ctx, o, e, http.MethodPut, address, "text/plain; version=0.0.4; charset=utf-8", body.Bytes())
}

// post sends a body to a sink on the network.
func post(ctx context.Context, o *Options, e *sweep.Export, method, url, kind string, body []byte) error {
	_, err := postFor(ctx, o, e, method, url, kind, body)
	return err
}

// mostReply bounds what is read of a sink's answer, in bytes.
const mostReply = 64 << 10

// postFor does so and returns the answer. Nothing is sent again: a sink that is
// not there is told.
func postFor(ctx context.Context, o *Options, e *sweep.Export, method, url, kind string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("User-Agent", "loadgen/"+o.Version)
	if e.APIKeyEnvVar != "" {
		key, ok := o.LookupEnv(e.APIKeyEnvVar)
		if !ok || key == "" {
			return nil, fmt.Errorf("the environment variable %s is not set", e.APIKeyEnvVar)
		}
		req.Header.Set("Authorization", "Bearer "+key)
	}
	res, err := o.Client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	reply, err := io.ReadAll(io.LimitReader(res.Body, mostReply))
	if res.StatusCode/100 != 2 {
		return nil, fmt.Errorf("%s answers %s: %s", url, res.Status, cutText(outside.Line(string(reply)), 200))
	}
	return reply, err
}

// exposition writes the figures as Prometheus' text. Runs are told apart by
// their names and swept values; how far they are to be relied on is a figure
// too, so that an alarm can leave out what proves nothing.
func exposition(w io.Writer, b *Batch) {
	families, helps := map[string][]string{}, map[string]string{}
	var order []string
	add := func(name, help, labels string, v float64) {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return
		}
		if families[name] == nil {
			order, helps[name] = append(order, name), help
		}
		families[name] = append(families[name], fmt.Sprintf("%s{%s} %s", name, labels, strconv.FormatFloat(v, 'g', -1, 64)))
	}
	for _, r := range b.Runs {
		labels := labelsOf(r)
		add("loadgen_valid", "1 where the figures of a run are to be relied on, else 0", labels, map[bool]float64{true: 1}[r.Unfit == "" && r.Summary != nil])
		add("loadgen_limits_missed", "Stated limits that a run missed", labels, float64(len(r.Missed)))
		if r.Summary == nil {
			continue
		}
		add("loadgen_requests_failed", "Requests that failed", labels, float64(r.Summary.Counts.Failed))
		for _, m := range r.Summary.Metrics {
			name, scale := metricName(m.Tag, m.Unit)
			if m.Value != nil {
				add(name, m.Header, labels, *m.Value*scale)
				continue
			}
			for _, stat := range []string{"avg", "min", "max", "p50", "p90", "p95", "p99"} {
				if v, ok := m.Stats.Named(stat); ok {
					add(name, m.Header, labels+`,stat="`+stat+`"`, v*scale)
				}
			}
		}
	}
	for _, name := range order {
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %[1]s gauge\n", name, helps[name])
		for _, line := range families[name] {
			fmt.Fprintln(w, line)
		}
	}
}

// metricName is the name of a metric in Prometheus' base units, and what its
// values are multiplied by.
func metricName(tag, unit string) (name string, scale float64) {
	name = "loadgen_" + labelName(tag)
	if stem, counts := strings.CutSuffix(name, "_count"); counts {
		name = stem + "_number" // _count is a histogram's
	}
	switch unit {
	case "ms":
		return name + "_seconds", 1e-3
	case "sec":
		return name + "_seconds", 1
	case "ns":
		return name + "_seconds", 1e-9
	case "%":
		return strings.TrimSuffix(name, "_pct") + "_ratio", 1e-2
	}
	return name, 1
}

func labelsOf(r *Run) string {
	parts := []string{`run="` + labelValue(r.Name) + `"`, `model="` + labelValue(r.setting("model")) + `"`}
	if r.Meta.Label != "" {
		parts = append(parts, `label="`+labelValue(r.Meta.Label)+`"`)
	}
	var values []string
	for _, v := range r.Meta.Cell.Values {
		values = append(values, "sweep_"+labelName(v.Key)+`="`+labelValue(fmt.Sprint(v.Value))+`"`)
	}
	slices.Sort(values)
	return strings.Join(append(parts, values...), ",")
}

// labelName makes a name that Prometheus takes.
func labelName(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, name)
}

var labelEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func labelValue(text string) string {
	return labelEscapes.Replace(strings.ToValidUTF8(cutText(text, 200), "\uFFFD"))
}
