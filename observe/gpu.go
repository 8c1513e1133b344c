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
	scale  float64 // to the field's unit
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
	{"dcgm_fi_dev_power_usage", "nvidia_power_usage", 1},
	{"dcgm_fi_dev_total_energy_consumption", "nvidia_energy_consumption", 1e-9}, // mJ to MJ
	{"dcgm_fi_dev_gpu_util", "nvidia_gpu_utilization", 1},
	{"dcgm_fi_dev_mem_copy_util", "nvidia_memory_utilization", 1},
	{"dcgm_fi_dev_fb_used", "nvidia_memory_used", 0.001048576}, // MiB to GB
	{"dcgm_fi_dev_gpu_temp", "nvidia_temperature", 1},
	{"dcgm_fi_prof_sm_active", "nvidia_sm_utilization", 100},
	{"dcgm_fi_dev_enc_util", "nvidia_encoder_utilization", 1},
	{"dcgm_fi_dev_dec_util", "nvidia_decoder_utilization", 1},
	{"dcgm_fi_dev_xid_errors", "nvidia_xid_errors", 1},
	{"dcgm_fi_dev_power_violation", "nvidia_power_violation", 1e-3}, // ns to µs
	{"dcgm_fi_dev_thermal_violation", "nvidia_thermal_violation", 1e-3},
	{"dcgm_fi_dev_sm_clock", "nvidia_sm_clock", 1},
	{"dcgm_fi_dev_mem_clock", "nvidia_memory_clock", 1},
	{"dcgm_fi_dev_clock_throttle_reasons", "nvidia_throttle_reasons", 1},
	{"dcgm_fi_dev_clocks_event_reasons", "nvidia_throttle_reasons", 1},
	{"gpu_package_power", "amd_power", 1},
	{"gpu_average_package_power", "amd_power", 1},
	{"gpu_power_usage", "amd_power", 1},
	{"gpu_energy_consumed", "amd_energy_consumption", 1e-12}, // µJ to MJ
	{"gpu_gfx_activity", "amd_gfx_activity", 1},
	{"gpu_umc_activity", "amd_umc_activity", 1},
	{"gpu_mma_activity", "amd_mm_activity", 1},
	{"gpu_used_vram", "amd_memory_used", 1e-3}, // MB to GB
	{"gpu_junction_temperature", "amd_temperature", 1},
	{"gpu_edge_temperature", "amd_temperature", 1},
	{"gpu_ecc_uncorrect", "amd_ecc_uncorrectable", 1},
	{"gpu_violation_socket_thermal_residency_percentage", "amd_throttle_thermal", 1},
	{"gpu_violation_hbm_thermal_residency_percentage", "amd_throttle_hbm_thermal", 1},
	{"gpu_violation_vr_thermal_residency_percentage", "amd_throttle_vr_thermal", 1},
	{"gpu_violation_processor_hot_residency_percentage", "amd_throttle_hot", 1},
	{"gpu_violation_ppt_residency_percentage", "amd_throttle_power", 1},
}

// roles say which fields are the common ones, by vendor, best first.
var roles = map[string][]string{
	Power:       {"nvidia_power_usage", "amd_power"},
	Utilization: {"nvidia_gpu_utilization", "amd_gfx_activity"},
	Memory:      {"nvidia_memory_used", "amd_memory_used"},
	Temperature: {"nvidia_temperature", "amd_temperature"},
	Clock:       {"nvidia_sm_clock", "amd_clock"},
}

// fieldOf returns which field a metric is; nil for none.
func fieldOf(metric string) *field {
	metric = strings.TrimPrefix(strings.ToLower(common(metric)), "amd_")
	for i := range fields {
		if fields[i].metric == metric {
			return &fields[i]
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
			f := fieldOf(s.Family.Name)
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
