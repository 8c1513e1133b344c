package observe

import "slices"

// Now returns the levels as the latest scrapes told them, by noun; empty before
// the first. Engines are summed, as in [Recording.Server]. It may be called at any
// time. A nil Observer tells nothing.
func (o *Observer) Now() map[string]float64 {
	now := map[string]float64{}
	if o == nil {
		return now
	}
	for _, gateway := range []bool{false, true} {
		layer := map[string]float64{}
		for _, w := range o.watches {
			w.mu.Lock()
			latest := w.endpoint.latest
			w.mu.Unlock()
			if !w.endpoint.GPU {
				addLevels(layer, latest, gateway)
			}
		}
		for noun, v := range layer {
			if _, told := now[noun]; !told {
				now[noun] = v
			}
		}
	}
	o.addGPUs(now)
	if running, ok := now[Running]; ok && !has(now, Inside) {
		now[Inside] = running + now[Waiting]
	}
	return now
}

func has(m map[string]float64, key string) bool {
	_, ok := m[key]
	return ok
}

// addGPUs adds the mean power and the greatest temperature of all GPUs.
func (o *Observer) addGPUs(now map[string]float64) {
	power, n := 0.0, 0
	for _, w := range o.watches {
		w.mu.Lock()
		latest := w.endpoint.latest
		w.mu.Unlock()
		if !w.endpoint.GPU {
			continue
		}
		for i := range latest {
			f := fieldOf(latest[i].family.Name, latest[i].labels)
			switch {
			case f == nil || latest[i].hist != nil:
			case slices.Contains(roles[Power], f.name):
				power, n = power+latest[i].value*f.scale, n+1
			case slices.Contains(roles[Temperature], f.name):
				now["gpu_temperature"] = max(now["gpu_temperature"], latest[i].value*f.scale)
			}
		}
	}
	if n > 0 {
		now["gpu_power"] = power / float64(n)
	}
}

// addLevels adds what the samples of a scrape say of each level.
func addLevels(now map[string]float64, samples []sample, gateway bool) {
	metrics := make([]string, len(samples))
	for i := range samples {
		metrics[i] = common(samples[i].family.Name)
	}
	for i := range engines {
		g := &engines[i]
		if g.gateway != gateway {
			continue
		}
		taken := map[string]string{}
		for j := range g.rules {
			r := &g.rules[j]
			if first, again := taken[r.noun]; r.how > asShare || again && first != r.metric {
				continue
			}
			var values []float64
			var names []named
			for k := range samples {
				if s := &samples[k]; s.hist == nil && r.matches(metrics[k], s.labels) {
					taken[r.noun] = r.metric
					values, names = append(values, s.value*r.factor()), append(names, named{metrics[k], s.labels})
				}
			}
			for _, k := range g.alone(r, names) {
				if r.how == asShare {
					now[r.noun] = max(now[r.noun], values[k])
				} else {
					now[r.noun] += values[k]
				}
			}
		}
	}
}
