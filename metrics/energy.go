package metrics

import "loadgen"

// CostPerOutput is the tag of the price of a million tokens of answers, of runs
// that know what their GPUs cost.
const CostPerOutput = "cost_per_million_output_tokens"

// CostPerToken is likewise that of a million tokens, prompts included.
const CostPerToken = "cost_per_million_tokens"

// TokensPerJoule is the end of the tags of what a joule of the GPUs' makes, behind
// the vendor's name.
const TokensPerJoule = "output_tokens_per_joule"

// energyFigures are AIPerf's figures of power and energy, without the vendor that
// its tags begin with.
var energyFigures = []Definition{
	{Tag: "total_gpu_power", Header: "Total GPU Power", Unit: "W"},
	{Tag: "average_gpu_power", Header: "Average GPU Power", Unit: "W"},
	{Tag: "total_gpu_energy", Header: "Total GPU Energy", Unit: "J"},
	{Tag: TokensPerJoule, Header: "Output Tokens Per Joule", Unit: "tokens/J", Larger: true},
	{Tag: "energy_per_output_token", Header: "Energy Per Output Token", Unit: "mJ/token"},
	{Tag: "energy_per_total_token", Header: "Energy Per Total Token", Unit: "mJ/token"},
	{Tag: "energy_per_request", Header: "Energy Per Request", Unit: "J/request"},
	{Tag: "energy_per_user", Header: "Energy Per User", Unit: "J/user"},
	{Tag: "energy_delay_product", Header: "Energy Delay Product", Unit: "J*s"},
	{Tag: "performance_per_watt", Header: "Performance Per Watt", Unit: "requests/sec/W", Larger: true},
	{Tag: "output_tps_per_watt", Header: "Output TPS Per Watt", Unit: "tokens/sec/W", Larger: true},
	{Tag: "goodput_per_watt", Header: "Goodput Per Watt", Unit: "requests/sec/W", Larger: true},
}

// gpuVendors are those whose exporters are read.
var gpuVendors = []struct{ prefix, name string }{{"nvidia_", "NVIDIA "}, {"amd_", "AMD "}}

// energyDefinitions are those figures for each vendor, and what GPUs cost.
func energyDefinitions() []Definition {
	var all []Definition
	for _, vendor := range gpuVendors {
		for _, d := range energyFigures {
			d.Tag, d.Header, d.Kind = vendor.prefix+d.Tag, vendor.name+d.Header, Scalar
			all = append(all, d)
		}
	}
	return append(
		all,
		Definition{Tag: CostPerOutput, Header: "Cost Per Million Output Tokens", Unit: "price/Mtoken", Kind: Scalar},
		Definition{Tag: CostPerToken, Header: "Cost Per Million Tokens", Unit: "price/Mtoken", Kind: Scalar},
	)
}

// perGPU adds what a run's GPUs make and cost to its figures.
func (f *Facts) perGPU(v map[string]float64) {
	if f.GPUs == 0 {
		return
	}
	gpus := float64(f.GPUs)
	for _, x := range []struct{ tag, cost, each string }{
		{"output_token_throughput", CostPerOutput, PerGPU}, {"total_token_throughput", CostPerToken, ""},
	} {
		rate, ok := v[x.tag]
		if !ok || rate <= 0 {
			continue
		}
		if x.each != "" {
			v[x.each] = rate / gpus
		}
		if f.GPUHourCost > 0 {
			v[x.cost] = f.GPUHourCost * gpus / 3600 / rate * 1e6
		}
	}
}

// energy adds what the GPUs of the server used, by AIPerf's formulas, with the
// energy of the measured phase. That of a server that others use too is theirs as
// well, of which the verdict tells.
func (c *Collector) energy(v map[string]float64, server *loadgen.Server) {
	if server == nil {
		return
	}
	requests, latency := v["request_count"], c.profiling.dists[RequestLatency].moments()
	for _, vendor := range gpuVendors {
		joules, power, seconds := 0.0, 0.0, 0.0
		for _, g := range server.GPUs {
			if g.Vendor+"_" != vendor.prefix || g.Joules <= 0 {
				continue
			}
			joules, seconds = joules+g.Joules, max(seconds, g.Seconds)
			power += g.Levels["power"].Avg
		}
		if joules == 0 || seconds == 0 || requests == 0 {
			continue
		}
		put := func(tag string, value float64, known bool) {
			if known {
				v[vendor.prefix+tag] = value
			}
		}
		mean := joules / seconds
		osl, output := v["total_osl"]
		isl, input := v["total_isl"]
		put("total_gpu_power", power, power > 0)
		put("average_gpu_power", mean, true)
		put("total_gpu_energy", joules, true)
		put(TokensPerJoule, osl/joules, output)
		put("energy_per_output_token", 1e3*joules/osl, output && osl > 0)
		put("energy_per_total_token", 1e3*joules/(isl+osl), input && output && isl+osl > 0)
		put("energy_per_request", joules/requests, true)
		put("energy_per_user", joules/float64(c.facts.Load.Users), c.facts.Load.Users > 0)
		if latency.n > 0 {
			put("energy_delay_product", joules/requests*latency.sum/float64(latency.n)/1e3, true)
		}
		for _, rate := range []struct{ tag, of string }{
			{"performance_per_watt", "request_throughput"}, {"output_tps_per_watt", "output_token_throughput"}, {"goodput_per_watt", "goodput"},
		} {
			value, ok := v[rate.of]
			put(rate.tag, value/mean, ok)
		}
	}
}
