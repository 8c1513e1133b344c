package metrics

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// A Threshold is where a sign of trouble begins to weaken a
// run's numbers, and where they are no longer worth having.
type Threshold struct {
	Name     string
	What     string
	Degraded float64
	Invalid  float64 // +Inf: never invalid by this alone
	Unit     string
	Why      string
}

// NoiseFloor is the name of the one entry that is no threshold itself: delays
// below it are never held against the generator.
const NoiseFloor = "noise_floor"

var never = math.Inf(1)

// table is the one place of the verdict's limits. docs/metrics.md shows it; a
// test keeps both equal. Limits on delays are shares of what was measured,
// because what matters is the error in the reported figures.
var table = []Threshold{
	{NoiseFloor, "of a delay of the generator so much is ignored", 2, 2, "ms", "the operating system's own scheduling on a busy machine"},
	{"lag_p50", "median lag (sent − due, less the wait under a ceiling) over median TTFT", 0.1, 0.5, "ratio", "every request starts late by as much: arrivals are not those asked for"},
	{"lag_p99", "p99 lag (sent − due, less the wait under a ceiling) over p99 TTFT", 0.5, 2, "ratio", "the tail of figures from due is the generator's, not the server's"},
	{"send_delay_p50", "median time from sent until the request was written, waiting and connecting included, over median TTFT", 0.05, never, "ratio", "TTFT begins before the server could know of the request"},
	{"send_delay_p99", "how far p99 TTFT lies above p99 of the time from written to the first output, where that is more than the noise floor", 0.1, never, "ratio", "the tail of TTFT holds time in which the request had not left this process, or its network took it slowly: the endpoint's own stamps say less"},
	{"ttft_excess_p99", "how far p99 TTFT lies above that without the time before the request was written, and without a gap for every chunk that came with the first beyond the usual number, where that is more than the noise floor", 0.1, never, "ratio", "the tail of TTFT is this process's: the endpoint's own stamps say less"},
	{"reader_delay_p50", "median of the first output's reader − kernel delay over median TTFT", 0.25, 1, "ratio", "half of the first tokens waited so long for this process"},
	{"reader_delay_p99", "p99 of the first output's reader − kernel delay over p99 TTFT", 0.5, 1.5, "ratio", "the tail waited for this process, not for the server"},
	{"reader_delay_itl", "median of the requests' mean reader − kernel delay over the median of their mean time from chunk to chunk", 0.5, 1, "ratio", "tokens queue up before this process: their arrivals merge"},
	{"sched_latency_ttft", "p99 wait of a runnable goroutine over median TTFT, where the kernel gave no stamps", 0.25, 2, "ratio", "TTFT may be as wrong as that"},
	{"sched_latency_itl", "p99 wait of a runnable goroutine over median ITL, where the kernel gave no stamps", 0.75, 2, "ratio", "gaps between tokens may be as wrong as that"},
	{"merged_chunks", "chunks out of the same read as the one before over chunks", 0.25, never, "ratio", "the gaps before them were not observed; a note where this process was not late, for then they were sent so"},
	{"coalesced", "streamed replies that arrived in one read over successful requests", 0.05, never, "ratio", "they have no inter-token latency; a note where this process was not late"},
	{"unfinished", "answers without a finish reason over successful requests", 0.05, never, "ratio", "the server may have broken them off: their lengths and latencies are not those of whole answers"},
	{"sched_latency_p99", "p99 wait of a runnable goroutine for a thread", 20, 100, "ms", "stamps taken in this process are late by as much"},
	{"gc_pause_p99", "p99 pause of the garbage collector", 20, 100, "ms", "nothing is sent or read in it"},
	{"process_cpu", "CPU time of this process while it started requests, over what GOMAXPROCS, CPUs and the tightest quota allow", 0.85, 0.95, "ratio", "a generator without CPU to spare measures itself"},
	{"throttled", "time in which a cgroup held the process back while it started requests, over that time", 0.02, 0.15, "ratio", "nothing is sent or read in it"},
	{"stood_still", "time in which this process did not run at all, stopped or on a suspended machine, over the time in which requests were started", 0.01, 0.1, "ratio", "nothing is sent or read in it, and the server had a rest"},
	{"starved", "requests due before their body was ready over requests issued", 0.001, 0.05, "ratio", "synthesis was slower than the schedule"},
	{"connection_wait_p99", "p99 wait for a free connection over median TTFT", 0.1, 1, "ratio", "a pool's cap, not the server, set the pace"},
	{"dial_errors", "dials for which this machine had no port, descriptor, memory, route or resolver, without those of the warm-up, over requests issued", 0.01, never, "ratio", "the load was not the one asked for"},
	{"in_flight_shortfall", "what the users of a closed loop lacked in flight while requests were started, over their number", 0.1, 0.3, "ratio", "the concurrency was not the one asked for"},
	{"unstarted", "users of a closed loop who had sent no request when the run ended, over their number", 0.1, never, "ratio", "the load was smaller than the one asked for"},
	{"turnaround", "share of their time in flight that requests of a closed loop spent in this process after their reply was over", 0.1, 0.5, "ratio", "the users could have sent more: the throughput is the generator's"},
	{"missed", "slots of the schedule never sent over slots due", 0.01, 0.1, "ratio", "the rate was not the one asked for"},
	{"rate_shortfall", "how much longer than the schedule it took to send it, over its length", 0.01, 0.1, "ratio", "the rate was not the one asked for"},
	{"workers_lost", "workers that were lost before they had made their portion of the run", 0, 0, "count", "from then on the load was not the one asked for"},
	{"lost", "requests without a record over requests issued", 0, 0.001, "ratio", "issued = ok + failed + cancelled must hold"},
	{"nothing_measured", "1 where no request succeeded", 0, 0, "count", "there are no figures"},
	{"cut_short", "1 where the run was ended before its time, not by its user", 0, never, "count", "the figures are of a part of the run"},
	{"local_failures", "requests for which this process or machine had no descriptor, port or memory, over requests that were not cut off", 0.001, 0.1, "ratio", "the endpoint never saw them: the load was not the one asked for"},
	{"failed", "failed requests, those of `local_failures` left out, over requests that were not cut off", 0.01, 0.5, "ratio", "latencies are those of the requests that succeeded; a p99 leaves out one in a hundred, and beyond a half the failures are the run"},
	{"cancelled", "requests cut off by the end of the grace period over requests issued", 0.05, 0.5, "ratio", "the slowest are missing: latencies are those of the requests that were quick enough"},
	{"overstated_rate", "how far AIPerf's request_throughput lies above the rate while there was load, less the share of requests that cross its ends", 0.1, 1, "ratio", "its time ends with the last success: an endpoint that dies looks as fast as it was"},
	{"stall", "share of the time under load in which a closed loop's users waited and nothing came, three times as long as they waited otherwise and 250 ms at least", 0.005, 0.5, "ratio", "each user sees a stall once, a schedule sees it all the time: beyond half a percent it is the schedule's p99"},
	{"start_burst", "share of the p99 TTFT of a closed loop that the first request of each user makes, where these rank three standard deviations above the others and a quarter of them beyond 95 % of these", 0.25, never, "ratio", "it is a figure of how the run started"},
	{"bunching", "how many other requests a request of a closed loop is sent beside, within an eighth of a round, over how many among independent users, where their variance is 3.5 times that of these", 1.25, never, "ratio", "users that started together stay together where answers and rests are of equal length, and wait for each other's prompts"},
	{"warm_cache", "prompt tokens from the server's cache beyond those with which prompts of the run begin alike, over prompt tokens", 0.05, never, "ratio", "the server has seen these prompts before: TTFT and input throughput are those of a warm cache"},
	{"foreign_load", "by the server's own metrics: the requests that it had beyond the run's own, or the run's own that waited before it, over the run's own", 0.1, never, "ratio", "others use the server too, or a proxy or a cap on connections stands before it: the figures are not those of this load on this server"},
	{"littles_law", "distance of Little's ratio from 1 in the steady state, less three standard errors of the mean time in flight or, if that is more, what requests that cross its ends bring by being of unequal length, one per user and end at most; where that state lasts two of the longest latencies", 0.1, never, "ratio", "rate, latency and concurrency contradict each other"},
	{"clock_steps", "steps of the wall clock in a run with kernel stamps", 0, never, "count", "kernel stamps are wall times"},
	{"worker_verdict", "the worst verdict of a worker on itself, not on the endpoint: 1 for DEGRADED, 2 for INVALID", 0, 1, "count", "a sick generator among several vanishes in their median"},
	{"start_spread", "time from the first worker's beginning to the last one's", 10, never, "ms", "the load was not there at once"},
	{"clock_bound", "the most by which the clocks of two workers may be apart after correction, with how far they drifted apart while the run lasted", 5, never, "ms", "concurrency and rates over time are as blurred as that; latencies never cross clocks"},
	{"ceiling_streams", "most requests in flight over the calibrated ceiling", 0.8, 1, "ratio", "calibration could not measure truthfully beyond it, or did not try: then never INVALID"},
	{"ceiling_chunks", "chunks read one by one per second over the calibrated ceiling", 0.8, 1, "ratio", "as above"},
	{"ceiling_requests", "requests per second over the calibrated ceiling", 0.8, 1, "ratio", "as above"},
}

// Thresholds returns the verdict's limits as they stand without overrides.
func Thresholds() []Threshold { return slices.Clone(table) }

// thresholds returns the limits by name after overrides. An override names a
// threshold and moves its limit for INVALID, and that for DEGRADED in
// proportion; one that never made a run INVALID moves the latter alone.
func thresholds(overrides map[string]float64) (map[string]Threshold, error) {
	limits := map[string]Threshold{}
	for _, t := range table {
		limits[t.Name] = t
	}
	for _, name := range slices.Sorted(maps.Keys(overrides)) {
		limit := overrides[name]
		t, ok := limits[name]
		if !ok {
			return nil, fmt.Errorf("limit %s: no such threshold; there are %s", name, strings.Join(names(), ", "))
		}
		if math.IsNaN(limit) || limit < 0 {
			return nil, fmt.Errorf("limit %s: %g is no limit; it must be 0 or more", name, limit)
		}
		if t.Invalid == never {
			t.Degraded = limit
		} else {
			t.Degraded, t.Invalid = limit*t.Degraded/t.Invalid, limit
		}
		limits[name] = t
	}
	return limits, nil
}

func names() []string {
	ns := make([]string, len(table))
	for i, t := range table {
		ns[i] = t.Name
	}
	return ns
}
