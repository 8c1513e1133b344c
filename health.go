package loadgen

import "time"

// Health is what the generator saw of itself during a run: the facts from
// which metrics judges whether its numbers can be trusted. Collected by load.
type Health struct {
	GOMAXPROCS   int
	CPUs         int
	Wall         time.Duration // from the epoch until no new request was started: Outcome.StoppedAt
	ProcessCPU   time.Duration // of Wall, user + system time of this process
	MachineBusy  float64       // of Wall, share of all CPUs' time that was not idle, 0..1; -1 unknown
	CPUQuota     float64       // CPUs that the tightest cgroup grants; 0 none or unknown
	Throttled    time.Duration // of Wall, time a cgroup held the process back: no sum over CPUs
	StoodStill   time.Duration // the process did not run at all: it was stopped, or the machine was suspended
	SchedLatency Quantiles     // runnable goroutines waiting for a thread
	GCPause      Quantiles
	GCCycles     int
	HeapPeak     uint64 // bytes
	RSSPeak      uint64 // bytes; 0 unknown
	Goroutines   int    // the most seen
	ClockSteps   int    // steps of the wall clock against the monotonic one
	Starved      int    // requests that were due before their body was ready
}

// Quantiles are seconds at three levels of a distribution; -1 where empty.
type Quantiles struct{ P50, P99, Max float64 }

// Transport is what the client did with connections during a run, its warm-up
// included.
type Transport struct {
	Engine     string // "raw" or "std"
	Protocol   string // "HTTP/1.1" or "HTTP/2.0"; empty before the first reply
	TLS        bool
	Timing     string // "kernel", "reader" or "mixed"
	Opened     int    // connections dialled
	Reused     int    // requests that went over a connection used before
	DialErrors int    // dials that failed, without those of the warm-up
	LocalDials int    // of these, those that this machine could not make: the endpoint had no part in them
	Retried    int    // sends repeated because the server was just closing the idle connection they went over
	MaxOpen    int    // the most connections open at once
	// RoundTrip is that of the network by the kernel's account, the median over
	// connections of the least that each saw; 0 where it is not known.
	RoundTrip time.Duration
}

// Outcome is what load says of a run when it is over: the facts that no single
// record carries.
type Outcome struct {
	Epoch     int64         // wall clock when the profiling phase began, unix nanoseconds: the one anchor of all times
	Issued    int           // requests sent in the profiling phase
	Sessions  int           // sessions begun: the first so many of the source
	Elapsed   time.Duration // from the epoch until the last record ended
	StoppedAt time.Duration // from the epoch until what was in flight became less: the time was up, or a request ended that no other followed
	Cancelled bool          // ended by the user
	Cut       string        // what else ended it before its time; empty for nothing
	MaxFlight int           // the most requests in flight at once
	Crossing  int           // requests of the warm-up in flight at the epoch: those with Record.Crossing
	FirstWave int           // users whose first request was one of the profiling phase: those with Record.First; 0 where all had come from the warm-up
	Missed    int           // slots of the schedule that were due but never sent before the end
	Notes     []string      // what else weakens the figures, a sentence each
	Server    *Server       // what the server said of itself; nil where it was not asked
	Workers   []Worker      // those that made the run together; none where it was made here
}
