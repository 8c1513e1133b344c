package mockllm

import "sync"

// A Stamp is the truth about one request: a line of GET /mock/stamps. Times are
// unix nanoseconds.
type Stamp struct {
	// RequestID is the request's X-Request-ID.
	RequestID string `json:"request_id"`
	// Received is when the request had come in full.
	Received int64 `json:"received_ns"`
	// Source says whose time that is: "kernel" (the kernel received the last
	// segment), "read" (the read of it returned) or "handler" (HTTP/2: the
	// body had been read).
	Source string `json:"received_source"`
	// Chunks are the times just before each chunk of output was written.
	// Role, finish and usage chunks are none; a reply that is not streamed is
	// one.
	Chunks []int64 `json:"chunks_ns"`
	// Tokens made of the answer, prompt tokens and those of them cached.
	Tokens int `json:"completion_tokens"`
	Prompt int `json:"prompt_tokens"`
	Cached int `json:"cached_tokens"`
}

// A stampRing keeps the newest stamps.
type stampRing struct {
	mu   sync.Mutex
	room int
	ring []Stamp
	next int // the oldest, once the ring is full
}

func newStampRing(room int) *stampRing { return &stampRing{room: room} }

func (r *stampRing) add(s Stamp) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.ring) < r.room {
		r.ring = append(r.ring, s)
		return
	}
	r.ring[r.next] = s
	r.next = (r.next + 1) % r.room
}

// all returns the stamps, the oldest first.
func (r *stampRing) all() []Stamp {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append(append([]Stamp(nil), r.ring[r.next:]...), r.ring[:r.next]...)
}

func (r *stampRing) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ring, r.next = nil, 0
}

// Stamps returns the true times of the newest requests that were stamped, the
// oldest first.
func (s *Server) Stamps() []Stamp { return s.stamps.all() }
