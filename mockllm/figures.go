package mockllm

import (
	"slices"
	"time"
)

// figures are what really happened, counted where it happens; under the
// engine's lock.
type figures struct {
	stats                Stats
	prompts              map[uint64]struct{}
	recent               []Step // ring
	oldest               int
	firstToken, gap, e2e histogram

	queue, prefill, decode, inference histogram // of requests that were answered to their end
}

// Stats are the counts behind GET /mock/stats. A request is one that reached
// the model; those refused before are in Rejected.
type Stats struct {
	Connections      int     `json:"connections"`       // accepted
	Requests         int     `json:"requests"`          // given to the model
	Completed        int     `json:"completed"`         // all of whose tokens were made
	Abandoned        int     `json:"abandoned"`         // whose client left, or that a fault cut off, before
	Rejected         int     `json:"rejected"`          // answered with an error status
	InFlight         int     `json:"in_flight"`         // requests in the model now
	InFlightMax      int     `json:"in_flight_max"`     // the most at once
	Running          int     `json:"running"`           // of these, admitted
	Waiting          int     `json:"waiting"`           // of these, queued
	RunningMax       int     `json:"running_max"`       // the largest batch of any step (with fixed timing: in_flight_max)
	WaitingMax       int     `json:"waiting_max"`       // the longest queue of any step
	PromptTokens     int     `json:"prompt_tokens"`     // of requests given to the model
	CompletionTokens int     `json:"completion_tokens"` // made
	CachedTokens     int     `json:"cached_tokens"`     // prompt tokens found in the prefix cache
	PrefixHits       int     `json:"prefix_hits"`       // requests of which the cache held at least one block
	PrefixQueries    int     `json:"prefix_queries"`    // prompt tokens looked up
	DistinctPrompts  int     `json:"distinct_prompts"`  // different prompts seen; counts up to 1,048,576
	KVTokens         int     `json:"kv_tokens"`         // held by running requests now
	KVReserved       int     `json:"kv_reserved"`       // kept free for them, those included: what others have to wait for
	Steps            int     `json:"steps"`             // of the batching model
	StepsByBatch     []int   `json:"steps_by_batch"`    // steps by number of running requests, the index; the last also counts larger
	RecentSteps      []Step  `json:"recent_steps"`      // the newest 1,024, oldest first
	LateMean         float64 `json:"late_mean_ns"`      // by how much chunks were written after they were due: this process's own fault
	LateMax          int64   `json:"late_max_ns"`
	LateChunks       int     `json:"late_chunks"` // chunks more than 1 ms late
	Chunks           int     `json:"chunks"`      // written
}

// A Step is one step of the batching model.
type Step struct {
	End     int64 `json:"end_ns"`  // since the server was made
	Took    int64 `json:"took_ns"` // planned length
	Running int   `json:"running"`
	Waiting int   `json:"waiting"`
}

const (
	maxPrompts     = 1 << 20
	maxRecentSteps = 1024
	maxBatchCounts = 4096
)

func (f *figures) init(maxNumSeqs int) {
	if maxNumSeqs == 0 || maxNumSeqs > maxBatchCounts {
		maxNumSeqs = maxBatchCounts
	}
	f.stats.StepsByBatch = make([]int, maxNumSeqs+1)
	f.prompts = map[uint64]struct{}{}
	f.firstToken.bounds = firstTokenBounds
	f.gap.bounds = gapBounds
	for _, h := range []*histogram{&f.e2e, &f.queue, &f.prefill, &f.decode, &f.inference} {
		h.bounds = e2eBounds
	}
}

func (f *figures) arrive(s *sequence) {
	f.stats.Requests++
	f.stats.PromptTokens += s.prompt
	f.stats.InFlight++
	f.stats.InFlightMax = max(f.stats.InFlightMax, f.stats.InFlight)
	if len(f.prompts) < maxPrompts {
		f.prompts[s.name] = struct{}{}
		f.stats.DistinctPrompts = len(f.prompts)
	}
}

func (f *figures) abandon(*sequence) {
	f.stats.InFlight--
	f.stats.Abandoned++
}

// token counts the made-th token of s, before s is changed.
func (f *figures) token(s *sequence, made int, at time.Duration) {
	f.stats.CompletionTokens++
	if made == 1 {
		s.first = at
		f.firstToken.observe(at - s.arrived)
	} else {
		f.gap.observe(at - s.last)
	}
	if s.ended {
		f.stats.InFlight--
		f.stats.Completed++
		f.e2e.observe(at - s.arrived)
		f.queue.observe(s.admitted - s.arrived)
		f.prefill.observe(s.first - s.admitted)
		f.decode.observe(at - s.first)
		f.inference.observe(at - s.admitted)
	}
}

func (f *figures) step(end, took time.Duration, running, waiting int) {
	st := &f.stats
	st.Steps++
	st.StepsByBatch[min(running, len(st.StepsByBatch)-1)]++
	st.RunningMax = max(st.RunningMax, running)
	st.WaitingMax = max(st.WaitingMax, waiting)
	step := Step{int64(end), int64(took), running, waiting}
	if len(f.recent) < maxRecentSteps {
		f.recent = append(f.recent, step)
		return
	}
	f.recent[f.oldest] = step
	f.oldest = (f.oldest + 1) % maxRecentSteps
}

func (f *figures) lookup(s *sequence) {
	f.stats.PrefixQueries += s.prompt
	f.stats.CachedTokens += s.hits
	if s.hits > 0 {
		f.stats.PrefixHits++
	}
}

// Stats returns what has happened so far.
func (s *Server) Stats() Stats {
	e := s.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	st := e.figures.stats
	st.Running, st.Waiting, st.KVTokens, st.KVReserved = e.model.load()
	if _, ok := e.model.(*fixed); ok {
		st.RunningMax = st.InFlightMax
	}
	st.StepsByBatch = slices.Clone(st.StepsByBatch)
	st.RecentSteps = append(slices.Clone(e.figures.recent[e.figures.oldest:]), e.figures.recent[:e.figures.oldest]...)
	st.Connections = int(s.connections.Load())
	st.Rejected = int(s.rejected.Load())
	st.Chunks = int(s.late.chunks.Load())
	st.LateChunks = int(s.late.over.Load())
	st.LateMax = s.late.max.Load()
	if st.Chunks > 0 {
		st.LateMean = float64(s.late.sum.Load()) / float64(st.Chunks)
	}
	return st
}
