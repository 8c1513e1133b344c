package client

import (
	"runtime"
	"sync"
	"unsafe"

	"loadgen"
)

const (
	// maxEvent bounds what an event, or a reply that is not streamed, may hold
	// in memory before the stream counts as broken.
	maxEvent = 16 << 20
	// maxOutput bounds likewise what the output of a reply may hold: its text
	// and the arrivals of its chunks. It is enough for 1.9 million chunks of a byte.
	maxOutput = 32 << 20
	// defaultMemory bounds all replies together, where nothing else is asked for.
	defaultMemory = 256 << 20
	// freeRoom is what a reply may take without a look at all the others: what
	// most of them take, and what a connection takes anyway.
	freeRoom = 16 << 10
	// large is a buffer that grows by doubling.
	large = 256 << 10
)

// A memory bounds what all replies of a client take together.
type memory struct {
	*loadgen.Memory
	litter litter
}

func newMemory(limit int64) *memory {
	return &memory{Memory: loadgen.NewMemory(limit), litter: litter{most: int(limit / 4)}}
}

// A litter counts what was allocated for growing replies since the last
// collection. The runtime lets garbage grow to several times what is in use, and
// further while it collects: a server that never ends its replies would have
// several times the bound taken. So those whose replies grow have the garbage of
// that collected before they go on. Answers of the usual size never come here.
type litter struct {
	most int
	mu   sync.Mutex
	size int
}

// add counts n bytes that are about to be allocated, or were just dropped.
func (l *litter) add(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.size += n; l.size > l.most {
		runtime.GC()
		l.size = n
	}
}

// outputOf returns how many bytes of memory a reply's output takes.
func outputOf(rec *loadgen.Record) int {
	return len(rec.Text) + len(rec.Thought) + len(rec.Tools) + arrivalSize*len(rec.Chunks)
}

const arrivalSize = int(unsafe.Sizeof(loadgen.Chunk{}))

// roomOf returns how many bytes are kept for a reply's output.
func roomOf(rec *loadgen.Record) int {
	return cap(rec.Text) + cap(rec.Thought) + cap(rec.Tools) + arrivalSize*cap(rec.Chunks)
}

func (r *reply) room() int { return roomOf(r.rec) + r.sse.room() + cap(r.body) }

// weigh holds a reply that grows against its own bound and that of all replies
// together, and makes room for the next piece.
func (r *reply) weigh() {
	if outputOf(r.rec) > maxOutput {
		r.overflow(loadgen.FailBadStream, "the reply's output takes more than %d bytes", maxOutput)
		return
	}
	room := r.room()
	if room <= freeRoom {
		return
	}
	if held := int(r.rec.Share.Bytes); room > held {
		r.memory.litter.add(2 * (room - held))
		if !r.hold(room) {
			return
		}
	}
	if room < large {
		return
	}
	rec := r.rec
	_ = enlarge(r, &rec.Text, 1) && enlarge(r, &rec.Thought, 1) && enlarge(r, &rec.Tools, 1) && enlarge(r, &rec.Chunks, arrivalSize) &&
		enlarge(r, &r.body, 1) && enlarge(r, &r.sse.line, 1) && enlarge(r, &r.sse.data, 1)
}

// enlarge doubles a large buffer that the next piece may fill, if the memory for
// that is to be had. Append would let a large one grow in more and smaller steps,
// each of which leaves the buffer before it as garbage.
func enlarge[E any](r *reply, buffer *[]E, size int) bool {
	n := cap(*buffer)
	if n*size < large || (n-len(*buffer))*size > bufferMax {
		return true
	}
	if !r.hold(r.room() + 2*n*size) { // both are there while the one is copied
		return false
	}
	r.memory.litter.add(2 * n * size)
	*buffer = append(make([]E, 0, 2*n), *buffer...)
	return r.hold(r.room())
}

// hold takes room in the memory for replies, and ends the reply where there is
// no more.
func (r *reply) hold(room int) bool {
	if r.rec.Share.Hold(r.memory.Memory, int64(room)) {
		return true
	}
	r.overflow(loadgen.FailLocal, "the replies that are being read would take more than %d MiB of memory together: raise response_memory_limit or lower the load",
		r.memory.Limit()>>20)
	return false
}

// overflow ends a reply that takes too much room, and gives that back. The
// output of a reply that is given up is of no use.
func (r *reply) overflow(kind loadgen.FailureKind, format string, args ...any) {
	r.fault = faultf(kind, format, args...)
	rec, room := r.rec, r.room()
	rec.Text, rec.Thought, rec.Tools, rec.Chunks = nil, nil, nil, nil
	r.giveBack()
	r.memory.litter.add(room)
}

// giveBack frees the room that only reading took. What the record holds it keeps
// until it has been taken in.
func (r *reply) giveBack() {
	if r.rec.Share.Bytes == 0 {
		return
	}
	r.sse.reset()
	r.body = emptied(r.body)
	kept := int64(roomOf(r.rec))
	if kept <= freeRoom {
		kept = 0
	}
	r.rec.Share.Hold(r.memory.Memory, min(r.rec.Share.Bytes, kept))
}
