package loadgen

import (
	"time"
	"unsafe"
)

// A Phase says which part of a run a request belongs to.
type Phase uint8

const (
	// Profiling is the measured part.
	Profiling Phase = iota
	// Warmup comes before the clock starts. What is in flight then goes on: see
	// Record.Crossing.
	Warmup
)

// String returns AIPerf's benchmark_phase: "profiling" or "warmup".
func (p Phase) String() string {
	if p == Warmup {
		return "warmup"
	}
	return "profiling"
}

// A ChunkKind says what a chunk of a stream carried.
type ChunkKind uint8

const (
	// Content is what the answer says: text, a refusal, sound, a picture, or
	// the whole of a reply that was not streamed.
	Content ChunkKind = iota
	// Reasoning is text of what the model thinks before it answers.
	Reasoning
	// ToolCall is a piece of a tool call: a name or arguments.
	ToolCall
	// The rest is what one event carried together, each kind of which had its
	// first time then.
	ReasoningContent
	ReasoningTool
	ContentTool
	ReasoningContentTool
)

// Carries reports whether a chunk of kind k carried content, reasoning or a tool
// call, alone or beside others: the first such chunk is that kind's first time.
func (k ChunkKind) Carries(kind ChunkKind) bool {
	carried := [...]uint8{
		Content: 1, Reasoning: 2, ToolCall: 4,
		ReasoningContent: 3, ReasoningTool: 6, ContentTool: 5, ReasoningContentTool: 7,
	}
	return carried[k]&carried[kind] != 0
}

// A Chunk is the arrival of one event that carried output. Role-only, empty,
// usage-only and finish events are none.
type Chunk struct {
	// At is the arrival since Record.Start: the kernel's receive time where
	// Record.Timing says so, else the reader's.
	At time.Duration
	// Kind is what the chunk carried.
	Kind ChunkKind
	// Merged marks a chunk that came out of the same read as the one before
	// it: its own arrival time is not known, At is an upper bound. Several
	// reads count as one where only the size of the buffer has cut it.
	Merged bool
}

// A TimingSource says whose clock stamped the chunks of a record.
type TimingSource uint8

const (
	// Reader is the time at which the read returned in this process.
	Reader TimingSource = iota
	// Kernel is the time at which the kernel received the segment.
	Kernel
)

// String returns "reader" or "kernel".
func (s TimingSource) String() string {
	if s == Kernel {
		return "kernel"
	}
	return "reader"
}

// Usage is the server's own count of tokens, verbatim. A field is -1 where the
// server said nothing: an absent count is not a count of zero.
type Usage struct {
	PromptTokens     int
	CompletionTokens int
	ReasoningTokens  int
	CachedTokens     int
	// TotalTokens is 0 where the server said nothing, or nothing else than the
	// sum of prompt and completion.
	TotalTokens int
}

// NoUsage is the Usage of a reply that carried none.
var NoUsage = Usage{-1, -1, -1, -1, 0}

// ReasoningApart reports whether the server counts the reasoning beside the
// completion tokens rather than among them: its total is the sum of the three,
// or more reasoning is said than there are completion tokens.
func (u Usage) ReasoningApart() bool {
	switch {
	case u.ReasoningTokens <= 0 || u.CompletionTokens < 0:
		return false
	case u.ReasoningTokens > u.CompletionTokens:
		return true
	}
	return u.PromptTokens >= 0 && u.TotalTokens == u.PromptTokens+u.CompletionTokens+u.ReasoningTokens
}

// OutputTokens is the length of the whole output as the server counts it,
// reasoning included wherever that is counted; -1 where it said nothing.
func (u Usage) OutputTokens() int {
	if u.ReasoningApart() {
		return u.CompletionTokens + u.ReasoningTokens
	}
	return u.CompletionTokens
}

// A FailureKind is the stable name of a way to fail.
type FailureKind string

const (
	FailConnect     FailureKind = "connect"      // no connection: refused, reset while dialling, no route, no name
	FailTLS         FailureKind = "tls"          // the handshake failed
	FailTimeout     FailureKind = "timeout"      // request_timeout passed
	FailHTTP4xx     FailureKind = "http_4xx"     // a 4xx status other than 429, or a 3xx that no client should follow
	FailRateLimited FailureKind = "rate_limited" // status 429
	FailHTTP5xx     FailureKind = "http_5xx"     // a 5xx status, or an error event inside a 200 stream
	FailStreamCut   FailureKind = "stream_cut"   // the connection ended before the reply did
	FailBadStream   FailureKind = "bad_stream"   // the reply is not what the protocol says: HTML, bad JSON, bad chunking
	FailNoTokens    FailureKind = "no_tokens"    // a complete reply without any output
	FailLocal       FailureKind = "local"        // this process or machine ran out of descriptors, ports or memory: no fault of the endpoint
	FailCancelled   FailureKind = "cancelled"    // ended by loadgen: the grace period ran out, or ^C
)

// A Failure is why a request did not succeed. It is data, not an error: one
// failed request never stops a run.
type Failure struct {
	Kind    FailureKind
	Status  int    // HTTP status, 0 where there was none
	Message string // one line, at most 512 bytes, free of secrets
	// RetryAfter is how long the endpoint asked to be left alone; 0 where it
	// said nothing of the kind.
	RetryAfter time.Duration
}

// Conn says what it took to get the request onto the wire. All times are since
// Record.Start or durations, 0 where the step did not happen.
type Conn struct {
	Reused bool          // the connection had carried a request before
	Wait   time.Duration // waiting for a free connection slot
	DNS    time.Duration // name look-up
	Dial   time.Duration // TCP connect
	TLS    time.Duration // TLS handshake
	Wrote  time.Duration // since Start: the last byte of the request was handed to the kernel
	Local  string        // local address, to tell connections apart
}

// A Record is what became of one Request: a line of profile_export.jsonl.
//
// Each field has one writer: the first block is written by load before and
// after Send, the second by client inside Send, the third by the tokenizing
// step before metrics sees the record. Slices belong to the record and are
// reused when it is recycled: whoever keeps one copies it.
type Record struct {
	Request *Request
	Phase   Phase
	Index   int  // order of issue within the phase, from 0
	Worker  int  // which user (closed loop) or slot (open loop) carried it
	Ramp    bool // sent while a ramp was still climbing, or users were still being started
	First   bool // the first request of a user: its starts make the first wave
	By      int  // who of several workers sent it, from 1; 0 where it was sent here
	// Crossing says that a request of the warm-up was in flight when the
	// measurement began. Its times are then since the epoch of the measurement,
	// Sent below 0: it is load of the measurement, but no result.
	Crossing bool
	Start    time.Time     // the moment of sending, with its monotonic reading
	Due      time.Duration // since the run's epoch
	Sent     time.Duration // since the run's epoch; Start − epoch
	Held     time.Duration // of the lag, the part spent waiting under the ceiling of requests in flight
	Ended    time.Duration // since the run's epoch; Send returned

	Status       int           // HTTP status, 0 where none came
	Head         time.Duration // the response's status line arrived, since Start; 0 where none came
	Chunks       []Chunk       // arrivals of output
	Took         time.Duration // the last chunk of output since Start; for a failure, the time until it was known
	Over         time.Duration // the reply was over, since Start: its last bytes had arrived, or the connection's end, or it was given up on; by the clock of Timing
	Streamed     bool          // the reply came as an event stream
	Text         []byte        // the answer's content
	Thought      []byte        // its reasoning
	Tools        []byte        // its tool calls: names and arguments, each on a line
	FinishReason string
	Model        string // as the server named it
	Usage        Usage
	Conn         Conn
	Timing       TimingSource
	FirstDelay   time.Duration // reader − kernel time of the first read with output, 0 where Timing is Reader
	MeanDelay    time.Duration // likewise, the mean over the reads with output
	ReaderDelay  time.Duration // likewise, the largest
	Reads        int           // reads that carried output
	MergedReads  int           // of these, reads that carried more than one chunk
	BytesOut     int           // of the request's body
	BytesIn      int           // of the reply's body, without heads and transfer coding
	Failure      *Failure      // nil for success

	// Share is what the record holds of the memory for replies, nothing for an
	// answer of the usual size.
	Share Share

	OutputTokens    int // of Text and Tools, by the local tokenizer; -1 where not counted
	ReasoningTokens int // of Thought, likewise
}

// Lag is how late the request was sent: the generator's fault, or the ceiling's,
// never the server's.
func (r *Record) Lag() time.Duration { return r.Sent - r.Due }

// OK reports whether the request succeeded.
func (r *Record) OK() bool { return r.Failure == nil }

// Cancelled reports whether loadgen itself ended the request.
func (r *Record) Cancelled() bool { return r.Failure != nil && r.Failure.Kind == FailCancelled }

// Release gives back what the record holds of the memory for replies, and drops
// the slices that made it more than usual. It is called when the record has been
// taken in.
func (r *Record) Release() {
	if r.Share.Of == nil {
		return
	}
	r.Share.release()
	r.Chunks, r.Text, r.Thought, r.Tools = emptied(r.Chunks), emptied(r.Text), emptied(r.Thought), emptied(r.Tools)
}

// Reset empties the record for the next request and keeps the capacity of its
// slices, unless an unusual reply blew it up.
func (r *Record) Reset() {
	r.Share.release()
	*r = Record{
		Chunks:          emptied(r.Chunks),
		Text:            emptied(r.Text),
		Thought:         emptied(r.Thought),
		Tools:           emptied(r.Tools),
		Usage:           NoUsage,
		OutputTokens:    -1,
		ReasoningTokens: -1,
	}
}

// emptied keeps room for some eight thousand tokens.
func emptied[E any](s []E) []E {
	const keep = 128 << 10
	if cap(s)*int(unsafe.Sizeof(*new(E))) > keep {
		return nil
	}
	return s[:0]
}
