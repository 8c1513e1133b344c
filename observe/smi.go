package observe

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// smiName is what the GPUs of this machine are called as a source.
const smiName = "nvidia-smi://localhost"

// smiLabels and smiFigures are what is asked of nvidia-smi, with the metric that
// the figure becomes: one of DCGM's exporter, so that both read alike.
var (
	smiLabels  = []struct{ query, label string }{{"index", "gpu"}, {"uuid", "UUID"}, {"name", "modelName"}, {"pci.bus_id", "pci_bus_id"}}
	smiFigures = []struct{ query, metric string }{
		{"power.draw", "DCGM_FI_DEV_POWER_USAGE"},
		{"utilization.gpu", "DCGM_FI_DEV_GPU_UTIL"},
		{"utilization.memory", "DCGM_FI_DEV_MEM_COPY_UTIL"},
		{"memory.used", "DCGM_FI_DEV_FB_USED"},
		{"temperature.gpu", "DCGM_FI_DEV_GPU_TEMP"},
		{"clocks.sm", "DCGM_FI_DEV_SM_CLOCK"},
		{"clocks.mem", "DCGM_FI_DEV_MEM_CLOCK"},
	}
	// The name of the last one depends on the driver; older ones have none.
	smiReasons = []string{"clocks_event_reasons.active", "clocks_throttle_reasons.active", ""}
)

// An smi asks the GPUs of this machine.
type smi struct {
	reasons int // of smiReasons, which is understood
}

func newSMI() *smi { return &smi{} }

func (*smi) close() {}

// errNoSMI is a machine without it.
var errNoSMI = fmt.Errorf("%w: nvidia-smi is not to be found", errNone)

func (s *smi) ask(ctx context.Context) (answer, error) {
	began := time.Now()
	for {
		out, err := s.call(ctx)
		switch {
		case errors.Is(err, exec.ErrNotFound):
			return answer{}, errNoSMI
		case err != nil && s.reasons < len(smiReasons)-1 && ctx.Err() == nil:
			s.reasons++ // what was asked is not known there, it may be
			continue
		case err != nil:
			s.reasons = 0
			return answer{}, err
		}
		return answer{first: time.Since(began), bytes: int64(len(out)), read: func() (parsed, error) { return s.read(out) }}, nil
	}
}

// query lists what is asked.
func (s *smi) query() []string {
	var names []string
	for _, l := range smiLabels {
		names = append(names, l.query)
	}
	for _, f := range smiFigures {
		names = append(names, f.query)
	}
	if more := smiReasons[s.reasons]; more != "" {
		names = append(names, more)
	}
	return names
}

func (s *smi) call(ctx context.Context) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "nvidia-smi", "--query-gpu="+strings.Join(s.query(), ","), "--format=csv,noheader,nounits")
	cmd.WaitDelay = time.Second
	out := &capped{left: 1 << 20}
	cmd.Stdout = out
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("nvidia-smi gave no answer in time")
		}
		return nil, fmt.Errorf("nvidia-smi: %w: %s", err, bytes.TrimSpace(out.b.Bytes()))
	}
	return out.b.Bytes(), nil
}

// A capped writer keeps the beginning and drops the rest.
type capped struct {
	b    bytes.Buffer
	left int
}

func (c *capped) Write(p []byte) (int, error) {
	n := min(len(p), c.left)
	c.left -= n
	c.b.Write(p[:n])
	return len(p), nil
}

// read turns the lines into samples. What a GPU does not tell, [N/A] or [Not
// Supported], it has no sample of.
func (s *smi) read(text []byte) (parsed, error) {
	r := csv.NewReader(bytes.NewReader(text))
	r.TrimLeadingSpace, r.FieldsPerRecord = true, len(s.query())
	var p parsed
	families := map[string]*Family{}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return parsed{}, fmt.Errorf("what nvidia-smi wrote is not what was asked for: %w", err)
		}
		var labels []Label
		for i, l := range smiLabels {
			labels = append(labels, Label{l.label, strings.TrimSpace(row[i])})
		}
		add := func(metric, text string) {
			v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
			if bits, hex := strings.CutPrefix(strings.TrimSpace(text), "0x"); hex {
				var n uint64
				n, err = strconv.ParseUint(bits, 16, 64)
				v = float64(n)
			}
			if err != nil || !usable(v) {
				return
			}
			if families[metric] == nil {
				families[metric] = &Family{Name: metric, Kind: Gauge}
			}
			p.samples = append(p.samples, sample{family: families[metric], labels: labels, value: v})
		}
		for i, f := range smiFigures {
			add(f.metric, row[len(smiLabels)+i])
		}
		if len(row) > len(smiLabels)+len(smiFigures) {
			add("DCGM_FI_DEV_CLOCK_THROTTLE_REASONS", row[len(row)-1])
		}
	}
	if len(p.samples) == 0 {
		return p, errEmpty
	}
	return p, nil
}
