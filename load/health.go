package load

import (
	"math"
	"runtime"
	"runtime/metrics"
	"time"

	"loadgen"
)

// sampleEvery is how often the watch looks at what only shows while it lasts.
const sampleEvery = 100 * time.Millisecond

// stepLimit is how far the wall clock may move against the monotonic one
// between two looks before it counts as a step. Slewing by a time daemon stays
// far below: it is bounded to 500 ppm.
const stepLimit = 5 * time.Millisecond

// A Watch collects what the generator sees of itself while a run lasts.
type Watch struct {
	stop, done chan struct{}
	began      time.Time
	process    processTimes
	machine    machineTimes
	limits     []limit
	drained    bool
	before     []metrics.Sample
	health     loadgen.Health
}

// watched are the runtime's own figures; the first two are histograms.
var watched = []string{
	"/sched/latencies:seconds",
	"/sched/pauses/total/gc:seconds",
	"/gc/cycles/total:gc-cycles",
}

// StartWatch begins to watch, when a run is about to begin. Stop must be called
// to end it.
func StartWatch() *Watch {
	w := &Watch{
		stop: make(chan struct{}), done: make(chan struct{}),
		began: time.Now(), process: readProcess(), machine: readMachine(), limits: readLimits(),
		before: readRuntime(),
	}
	w.health.CPUs = runtime.NumCPU()
	w.health.GOMAXPROCS = runtime.GOMAXPROCS(0)
	w.health.CPUQuota = leastQuota(w.limits)
	go w.sample()
	return w
}

// Drain tells the watch that no more requests are started. What the run had of
// the CPU is counted until then: a generator that was short of it while it sent
// is not made to look better by the wait for the last answers.
func (w *Watch) Drain() {
	if w.drained {
		return
	}
	w.drained = true
	h := &w.health
	h.Wall = time.Since(w.began)
	h.ProcessCPU = readProcess().cpu - w.process.cpu
	h.MachineBusy = w.machine.busyUntil(readMachine())
	h.Throttled = heldBack(w.limits, readLimits(), h.Wall)
}

// Stop ends the watch and returns what it saw.
func (w *Watch) Stop() loadgen.Health {
	w.Drain()
	close(w.stop)
	<-w.done
	h := w.health
	after := readRuntime()
	h.SchedLatency = between(w.before[0], after[0])
	h.GCPause = between(w.before[1], after[1])
	h.GCCycles = int(after[2].Value.Uint64() - w.before[2].Value.Uint64())
	return h
}

func (w *Watch) sample() {
	defer close(w.done)
	ticker := time.NewTicker(sampleEvery)
	defer ticker.Stop()
	live := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	offset, known := wallOffset()
	look := stillness{at: time.Now(), asleep: asleepTime(), resumed: resumed.Load()}
	for {
		w.health.StoodStill += look.next(time.Now(), asleepTime(), resumed.Load())
		metrics.Read(live)
		w.health.HeapPeak = max(w.health.HeapPeak, live[0].Value.Uint64())
		w.health.RSSPeak = max(w.health.RSSPeak, residentBytes())
		w.health.Goroutines = max(w.health.Goroutines, runtime.NumGoroutine())
		if now, ok := wallOffset(); ok {
			if known && (now-offset).Abs() > stepLimit {
				w.health.ClockSteps++
			}
			offset, known = now, true
		}
		select {
		case <-ticker.C:
		case <-w.stop:
			return
		}
	}
}

var processStart = time.Now()

// wallOffset is the wall clock less the monotonic one: constant but for steps.
// The two are read one after the other, so a thread that is held in between
// would seem to see a step; it reports false where that happens time and again.
func wallOffset() (offset time.Duration, ok bool) {
	const apart = 100 * time.Microsecond
	for range 5 {
		before := time.Since(processStart)
		wall := time.Now().Round(0).Sub(processStart.Round(0))
		if after := time.Since(processStart); after-before < apart {
			return wall - before, true
		}
	}
	return 0, false
}

func readRuntime() []metrics.Sample {
	s := make([]metrics.Sample, len(watched))
	for i, name := range watched {
		s[i].Name = name
	}
	metrics.Read(s)
	return s
}

// between returns the levels of the part of a histogram that was added between
// two readings. A level is the upper edge of its bucket, or the lower one where
// the bucket has no end.
func between(before, after metrics.Sample) loadgen.Quantiles {
	a, b := after.Value.Float64Histogram(), before.Value.Float64Histogram()
	var total uint64
	for i := range a.Counts {
		total += a.Counts[i] - b.Counts[i]
	}
	if total == 0 {
		return loadgen.Quantiles{P50: -1, P99: -1, Max: -1}
	}
	level := func(p float64) float64 {
		rank, seen := uint64(math.Ceil(p*float64(total))), uint64(0)
		for i := range a.Counts {
			if seen += a.Counts[i] - b.Counts[i]; seen >= rank {
				if edge := a.Buckets[i+1]; !math.IsInf(edge, 1) {
					return edge
				}
				return a.Buckets[i]
			}
		}
		return -1
	}
	return loadgen.Quantiles{P50: level(0.5), P99: level(0.99), Max: level(1)}
}

type processTimes struct{ cpu time.Duration }

type machineTimes struct{ busy, total float64 }

func (m machineTimes) busyUntil(later machineTimes) float64 {
	if m.total == 0 || later.total <= m.total {
		return -1
	}
	return (later.busy - m.busy) / (later.total - m.total)
}

// A limit is what a control group grants its processes, and how long it has
// held them back, summed over all CPUs.
type limit struct {
	cpus float64 // 0 for no limit
	held time.Duration
}

// leastQuota returns the CPUs that the tightest of the groups around a process
// grants, 0 for no limit.
func leastQuota(limits []limit) float64 {
	least := 0.0
	for _, l := range limits {
		if l.cpus > 0 && (least == 0 || l.cpus < least) {
			least = l.cpus
		}
	}
	return least
}

// heldBack returns how long, of the time between two readings, a process was
// held back by that group around it which did so most. A wider group than the
// tightest may be the one, if it has other processes to share with.
//
// A group sums the time over the CPUs that it withholds: of sixteen together,
// sixteen times as long as it lasts. How many it withholds at once it does not
// tell; they are taken to be as many as its processes wanted, which is what it
// granted and what it withheld.
func heldBack(before, after []limit, wall time.Duration) time.Duration {
	most := time.Duration(0)
	for i := range min(len(before), len(after)) {
		held := after[i].held - before[i].held
		wanted := before[i].cpus + float64(held)/float64(max(wall, 1))
		most = max(most, time.Duration(float64(held)/max(wanted, 1)))
	}
	return most
}
