package mockllm

import (
	"container/heap"
	"time"
)

// A fixed model makes token k of a sequence at arrived + TTFT + k·ITL, jitter
// aside, whatever else runs.
type fixed struct {
	ttft, itl time.Duration
	heap      byDue
	produce   func(s *sequence, at time.Duration)
}

func (f *fixed) add(s *sequence) {
	s.admitted = s.arrived
	s.due = s.arrived + s.jitter.of(f.ttft)
	heap.Push(&f.heap, s)
}

func (f *fixed) next() (time.Duration, bool) {
	if len(f.heap) == 0 {
		return 0, false
	}
	return f.heap[0].due, true
}

func (f *fixed) advance(now time.Duration) {
	for len(f.heap) > 0 && f.heap[0].due <= now {
		s := f.heap[0]
		if !s.ended {
			f.produce(s, s.due)
		}
		if s.ended {
			heap.Pop(&f.heap)
			continue
		}
		s.due += s.jitter.of(f.itl)
		heap.Fix(&f.heap, 0)
	}
}

func (f *fixed) load() (running, waiting, kv, reserved int) {
	for _, s := range f.heap {
		if !s.ended {
			running++
			kv += s.prompt + int(s.made.Load())
		}
	}
	return running, 0, kv, kv
}

// byDue is a heap of sequences, the next due first; equal ones by arrival.
type byDue []*sequence

func (h byDue) Len() int { return len(h) }
func (h byDue) Less(i, j int) bool {
	return h[i].due < h[j].due || h[i].due == h[j].due && h[i].index < h[j].index
}
func (h byDue) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *byDue) Push(x any)   { *h = append(*h, x.(*sequence)) }
func (h *byDue) Pop() any {
	old := *h
	s := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return s
}
