package observe

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"loadgen"
)

// A field is one of a GPU's figures, by AIPerf's name and unit, or by a like one of
// our own where AIPerf has none.
type field struct {
	metric string // with _ for :, without _total, in lower case
	name   string
	scale  float64   // to the field's unit
	where  [2]string // a label that the series must have; empty for any
}

// The fields that are read further.
const (
	Power       = "power"       // W
	Utilization = "utilization" // %
	Memory      = "memory"      // GB
	Temperature = "temperature" // °C
	Clock       = "clock"       // MHz
	energyMJ    = "energy_consumption"
)

// fields are those of DCGM's exporter, of AMD's, and of nvidia-smi.
var fields = []field{
	{metric: "dcgm_fi_dev_power_usage", name: "nvidia_power_usage", scale: 1},
	{metric: "dcgm_fi_dev_total_energy_consumption", name: "nvidia_energy_consumption", scale: 1e-9}, // mJ to MJ
	{metric: "dcgm_fi_dev_gpu_util", name: "nvidia_gpu_utilization", scale: 1},
	{metric: "dcgm_fi_dev_mem_copy_util", name: "nvidia_memory_utilization", scale: 1},
	{metric: "dcgm_fi_dev_fb_used", name: "nvidia_memory_used", scale: 0.001048576}, // MiB to GB
	{metric: "dcgm_fi_dev_gpu_temp", name: "nvidia_temperature", scale: 1},
	{metric: "dcgm_fi_prof_sm_active", name: "nvidia_sm_utilization", scale: 100},
	{metric: "dcgm_fi_dev_enc_util", name: "nvidia_encoder_utilization", scale: 1},
	{metric: "dcgm_fi_dev_dec_util", name: "nvidia_decoder_utilization", scale: 1},
	{metric: "dcgm_fi_dev_xid_errors", name: "nvidia_xid_errors", scale: 1},
	{metric: "dcgm_fi_dev_power_violation", name: "nvidia_power_violation", scale: 1e-3}, // ns to µs
	{metric: "dcgm_fi_dev_thermal_violation", name: "nvidia_thermal_violation", scale: 1e-3},
	{metric: "dcgm_fi_dev_sm_clock", name: "nvidia_sm_clock", scale: 1},
	{metric: "dcgm_fi_dev_mem_clock", name: "nvidia_memory_clock", scale: 1},
	{metric: "dcgm_fi_dev_clock_throttle_reasons", name: "nvidia_throttle_reasons", scale: 1},
	{metric: "dcgm_fi_dev_clocks_event_reasons", name: "nvidia_throttle_reasons", scale: 1},
	{metric: "gpu_package_power", name: "amd_power", scale: 1},
	{metric: "gpu_average_package_power", name: "amd_power", scale: 1},
	{metric: "gpu_power_usage", name: "amd_power", scale: 1},
	{metric: "gpu_energy_consumed", name: "amd_energy_consumption", scale: 1e-12}, // µJ to MJ
	{metric: "gpu_gfx_activity", name: "amd_gfx_activity", scale: 1},
	{metric: "gpu_umc_activity", name: "amd_umc_activity", scale: 1},
	{metric: "gpu_mma_activity", name: "amd_mm_activity", scale: 1},
	{metric: "gpu_clock", name: "amd_clock", scale: 1, where: [2]string{"clock_type", "GPU_CLOCK_TYPE_SYSTEM"}},
	{metric: "gpu_used_vram", name: "amd_memory_used", scale: 1e-3}, // MB to GB
	{metric: "gpu_junction_temperature", name: "amd_temperature", scale: 1},
	{metric: "gpu_edge_temperature", name: "amd_temperature", scale: 1},
	{metric: "gpu_ecc_uncorrect", name: "amd_ecc_uncorrectable", scale: 1},
	{metric: "gpu_violation_socket_thermal_residency_percentage", name: "amd_throttle_thermal", scale: 1},
	{metric: "gpu_violation_hbm_thermal_residency_percentage", name: "amd_throttle_hbm_thermal", scale: 1},
	{metric: "gpu_violation_vr_thermal_residency_percentage", name: "amd_throttle_vr_thermal", scale: 1},
	{metric: "gpu_violation_processor_hot_residency_percentage", name: "amd_throttle_hot", scale: 1},
	{metric: "gpu_violation_ppt_residency_percentage", name: "amd_throttle_power", scale: 1},
}

// roles say which fields are the common ones, by vendor, best first.
var roles = map[string][]string{
	Power:       {"nvidia_power_usage", "amd_power"},
	Utilization: {"nvidia_gpu_utilization", "amd_gfx_activity"},
	Memory:      {"nvidia_memory_used", "amd_memory_used"},
	Temperature: {"nvidia_temperature", "amd_temperature"},
	Clock:       {"nvidia_sm_clock", "amd_clock"},
}

// fieldOf returns which field a series is; nil for none.
func fieldOf(metric string, labels []Label) *field {
	metric = strings.TrimPrefix(strings.ToLower(common(metric)), "amd_")
	for i := range fields {
		f := &fields[i]
		if f.metric == metric && (f.where[0] == "" || slices.Contains(labels, Label{f.where[0], f.where[1]})) {
			return f
		}
	}
	return nil
}

// A Device is one GPU as a source tells it.
type Device struct {
	Endpoint                                              *Endpoint
	Index, UUID, Model, PCI, Device, Host, Namespace, Pod string
	Vendor                                                string             // "nvidia" or "amd"
	Fields                                                map[string]*Series // by name
	scale                                                 map[string]float64
}

// Devices returns the GPUs of all sources, in the order of host and index.
func (r *Recording) Devices() []*Device {
	var all []*Device
	for _, e := range r.Endpoints {
		if !e.GPU {
			continue
		}
		byID := map[string]*Device{}
		for _, s := range e.Series {
			f := fieldOf(s.Family.Name, s.Labels)
			if f == nil || !s.Family.Kind.scalar() {
				continue
			}
			id := deviceOf(e, s.Labels)
			d := byID[id.Host+" "+id.Index+" "+id.UUID]
			if d == nil {
				d = id
				d.Vendor, _, _ = strings.Cut(f.name, "_")
				byID[id.Host+" "+id.Index+" "+id.UUID] = d
				all = append(all, d)
			}
			if d.Fields[f.name] == nil { // an earlier one of the same meaning stays
				d.Fields[f.name], d.scale[f.name] = s, f.scale
			}
		}
	}
	slices.SortStableFunc(all, func(a, b *Device) int {
		return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(len(a.Index), len(b.Index)), cmp.Compare(a.Index, b.Index))
	})
	return all
}

// deviceOf reads what an exporter says of a GPU beside its figures.
func deviceOf(e *Endpoint, labels []Label) *Device {
	d := &Device{Endpoint: e, Fields: map[string]*Series{}, scale: map[string]float64{}}
	for _, l := range labels {
		for _, x := range []struct {
			names []string
			to    *string
		}{
			{[]string{"gpu", "gpu_id", "gpu_index"}, &d.Index},
			{[]string{"UUID", "uuid", "gpu_uuid", "serial_number"}, &d.UUID},
			{[]string{"modelName", "card_model", "card_series", "name"}, &d.Model},
			{[]string{"pci_bus_id", "pcie_bus_id"}, &d.PCI},
			{[]string{"device"}, &d.Device},
			{[]string{"Hostname", "hostname"}, &d.Host},
			{[]string{"namespace"}, &d.Namespace},
			{[]string{"pod"}, &d.Pod},
		} {
			if *x.to == "" && slices.Contains(x.names, l.Name) {
				*x.to = l.Value
			}
		}
	}
	return d
}

// Value returns a field at a point, in its unit; NaN for none.
func (d *Device) Value(name string, point int) float64 {
	s := d.Fields[name]
	if s == nil || point >= len(s.Values) {
		return math.NaN()
	}
	return s.Values[point] * d.scale[name]
}

// Level returns how a field stood over a window, in its unit.
func (d *Device) Level(name string, w Window) (Level, bool) {
	s := d.Fields[name]
	if s == nil {
		return Level{}, false
	}
	l, ok := d.Endpoint.Level(s, w)
	f := d.scale[name]
	l.Avg, l.Min, l.Max, l.Std = l.Avg*f, l.Min*f, l.Max*f, l.Std*f
	for i := range l.sorted {
		l.sorted[i] *= f
	}
	return l, ok
}

// Delta returns what a field that only rises rose by over a window, in its unit.
func (d *Device) Delta(name string, w Window) (Change, bool) {
	s := d.Fields[name]
	if s == nil {
		return Change{}, false
	}
	c, ok := d.Endpoint.Change(s, w)
	c.Total *= d.scale[name]
	return c, ok
}

// Rises reports whether a field is a count that only rises.
func Rises(name string) bool {
	return strings.HasSuffix(name, energyMJ) || strings.HasSuffix(name, "_violation") || strings.HasSuffix(name, "_errors") || strings.HasSuffix(name, "_uncorrectable")
}

// gpus sums the GPUs up.
func (r *Recording) gpus() []loadgen.GPU {
	var out []loadgen.GPU
	for _, d := range r.Devices() {
		out = append(out, r.gpu(d))
	}
	return out
}

func (r *Recording) gpu(d *Device) loadgen.GPU {
	g := loadgen.GPU{
		Source: d.Endpoint.URL, Index: d.Index, UUID: d.UUID, Model: d.Model, Host: d.Host, Vendor: d.Vendor,
		Levels: map[string]loadgen.ServerLevel{}, Throttled: -1, PowerCapped: -1,
	}
	for role, names := range roles {
		for _, name := range names {
			if l, ok := d.Level(name, UnderLoad); ok && finite(l.Avg) && finite(l.Min) && finite(l.Max) {
				g.Levels[role] = loadgen.ServerLevel{Avg: l.Avg, Min: l.Min, Max: l.Max, N: l.N}
				break
			}
		}
	}
	from, to := r.Marks[Profiling], r.Marks[After]
	if x, ok := d.Endpoint.in(Measured); ok && to > from {
		g.Seconds = (to - from).Seconds()
		if c, ok := d.Delta(d.Vendor+"_"+energyMJ, Measured); ok && c.Total > 0 && c.Seconds > 0 {
			g.Joules, g.Counted = c.Total*1e6/c.Seconds*g.Seconds, true
		} else if l, ok := g.Levels[Power]; ok && x.to > x.from {
			g.Joules = l.Avg * g.Seconds
		}
	}
	if !finite(g.Joules) {
		g.Joules = 0
	}
	d.throttling(&g)
	return g
}

// What the bits of a GPU's clock event reasons say (nvml.h). Those of an idle GPU,
// and of clocks that its owner set, are no throttling.
var throttleBits = []struct {
	bit    uint64
	name   string
	hidden bool // by heat or hardware, not by the power limit alone
}{
	{0x04, "power cap", false},
	{0x08, "hardware slowdown", true},
	{0x20, "software thermal slowdown", true},
	{0x40, "hardware thermal slowdown", true},
	{0x80, "power brake", true},
}

// throttling says how often the clocks were held back under load, and why.
func (d *Device) throttling(g *loadgen.GPU) {
	bits := d.Fields["nvidia_throttle_reasons"]
	counts := map[string]int{}
	n, held, capped := 0, 0, 0
	for i, p := range d.Endpoint.Points {
		if p.Phase != Profiling {
			continue
		}
		hot, power, any := false, false, false
		if bits != nil && !math.IsNaN(bits.Values[i]) && bits.Values[i] >= 0 && bits.Values[i] < 1<<32 {
			any = true
			for _, b := range throttleBits {
				if uint64(bits.Values[i])&b.bit != 0 {
					counts[b.name]++
					hot, power = hot || b.hidden, power || !b.hidden
				}
			}
		}
		for name := range d.Fields {
			if cause, ok := strings.CutPrefix(name, "amd_throttle_"); ok && !math.IsNaN(d.Value(name, i)) {
				any = true
				if d.Value(name, i) > 0 {
					counts[strings.ReplaceAll(cause, "_", " ")]++
					hot, power = hot || cause != "power", power || cause == "power"
				}
			}
		}
		if any {
			n++
		}
		if hot {
			held++
		}
		if power {
			capped++
		}
	}
	if n == 0 {
		return
	}
	g.Throttled, g.PowerCapped = float64(held)/float64(n), float64(capped)/float64(n)
	for name := range counts {
		g.Reasons = append(g.Reasons, name)
	}
	slices.SortFunc(g.Reasons, func(a, b string) int { return cmp.Or(counts[b]-counts[a], strings.Compare(a, b)) })
}
