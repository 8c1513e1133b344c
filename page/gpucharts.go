package page

import (
	"fmt"
	"slices"

	"loadgen/results"
)

// gpuFigures are what is drawn of GPUs: the names that a figure has by vendor.
var gpuFigures = []struct {
	name, title, unit string
	fields            []string
}{
	{"gpu_utilization_over_time", "GPU utilization", "%", []string{"nvidia_gpu_utilization", "amd_gfx_activity"}},
	{"gpu_power_over_time", "GPU power", "W", []string{"nvidia_power_usage", "amd_power"}},
	{"gpu_memory_over_time", "GPU memory in use", "GB", []string{"nvidia_memory_used", "amd_memory_used"}},
}

// gpus are the charts of GPUs, a line for each.
func (s *serverView) gpus() []Chart {
	var charts []Chart
	for _, f := range gpuFigures {
		ch := overTime(f.name, f.title, f.unit)
		var lines []*results.ServerLine
		for i := range s.lines {
			if l := &s.lines[i]; l.GPU != "" && slices.Contains(f.fields, l.Name) {
				lines = append(lines, l)
			}
		}
		for i, l := range lines[:min(len(lines), ordinary)] {
			ch.Series = append(ch.Series, Series{Name: "GPU " + l.GPU, Points: s.pointsOf(l, 1), Color: i})
		}
		if ch.Says = "As its exporter tells it."; len(lines) > ordinary {
			ch.Says = fmt.Sprintf("The first %d of %d GPUs.", ordinary, len(lines))
		}
		charts = append(charts, ch)
	}
	return charts
}

const gpuLoadName = "gpu_utilization_and_throughput_over_time"

// gpuLoad is AIPerf's picture of throughput and the GPUs' utilization together:
// the one above the other, as two scales in one frame would seem to cross where
// nothing does.
func gpuLoad(charts []Chart) stack {
	at := slices.IndexFunc(charts, func(c Chart) bool { return c.Name == "gpu_utilization_over_time" })
	tokens := slices.IndexFunc(charts, func(c Chart) bool { return c.Name == "output_tokens_over_time" })
	if at < 0 || tokens < 0 {
		return nil
	}
	return stack{&charts[tokens], &charts[at]}
}
