package results

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"loadgen"
)

// maxLine bounds the memory that a foreign file can take: a line of a million
// chunks is under 16 MiB.
const maxLine = 64 << 20

// errTruncated marks a last line that was cut off while it was being written.
var errTruncated = errors.New("the last line is cut off")

// A line is what is read of a line of profile_export.jsonl.
type line struct {
	Metadata struct {
		SessionNum   int    `json:"session_num"`
		RequestID    string `json:"x_request_id"`
		Correlation  string `json:"x_correlation_id"`
		Conversation string `json:"conversation_id"`
		Turn         int    `json:"turn_index"`
		Start        int64  `json:"request_start_ns"`
		Ack          int64  `json:"request_ack_ns"`
		Worker       string `json:"worker_id"`
		Phase        string `json:"benchmark_phase"`
	} `json:"metadata"`
	Metrics struct {
		TTFT struct{ Value float64 }   `json:"time_to_first_token"`
		Gaps struct{ Value []float64 } `json:"inter_chunk_latency"`
	} `json:"metrics"`
	Own *ownLine `json:"loadgen"`
}

// An ownLine is what a line holds that AIPerf has no key for.
type ownLine struct {
	Due         time.Duration   `json:"due_ns"`
	Sent        time.Duration   `json:"sent_ns"`
	Ended       time.Duration   `json:"ended_ns"`
	Took        time.Duration   `json:"took_ns"`
	Over        *time.Duration  `json:"over_ns"`
	Held        time.Duration   `json:"held_ns"`
	Ramp        bool            `json:"ramp"`
	First       bool            `json:"first"`
	Crossing    bool            `json:"crossing"`
	Status      int             `json:"status"`
	Streamed    bool            `json:"streamed"`
	Chunks      []time.Duration `json:"chunk_ns"`
	Kinds       string          `json:"chunk_kinds"`
	Input       int             `json:"input_tokens"`
	Shared      int             `json:"shared_tokens"`
	Template    int             `json:"template_tokens"`
	Max         int             `json:"max_tokens"`
	Delay       time.Duration   `json:"delay_ns"`
	Output      *int            `json:"output_tokens"`
	Reasoning   *int            `json:"reasoning_tokens"`
	Usage       usage           `json:"usage"`
	Finish      string          `json:"finish_reason"`
	Model       string          `json:"model"`
	Timing      string          `json:"timing_source"`
	ReaderDelay time.Duration   `json:"reader_delay_ns"`
	FirstDelay  *time.Duration  `json:"first_delay_ns"`
	MeanDelay   *time.Duration  `json:"mean_delay_ns"`
	Reads       int             `json:"reads"`
	MergedReads int             `json:"merged_reads"`
	BytesOut    int             `json:"bytes_out"`
	BytesIn     int             `json:"bytes_in"`
	Conn        conn            `json:"conn"`
	Failure     *failure        `json:"failure"`
}

type usage struct {
	Prompt     *int `json:"prompt_tokens"`
	Completion *int `json:"completion_tokens"`
	Reasoning  *int `json:"reasoning_tokens"`
	Cached     *int `json:"cached_tokens"`
	Total      *int `json:"total_tokens"`
}

type conn struct {
	Reused bool          `json:"reused"`
	Wait   time.Duration `json:"wait_ns"`
	DNS    time.Duration `json:"dns_ns"`
	Dial   time.Duration `json:"dial_ns"`
	TLS    time.Duration `json:"tls_ns"`
	Wrote  time.Duration `json:"wrote_ns"`
	Local  string        `json:"local"`
}

type failure struct {
	Kind       loadgen.FailureKind `json:"kind"`
	Status     int                 `json:"status"`
	Message    string              `json:"message"`
	RetryAfter time.Duration       `json:"retry_after_ns"`
}

// readLines calls yield with every record of a profile_export.jsonl, in the
// order of the file, until it returns false. The record is used again for the
// next line. A last line that was cut off is errTruncated; any other broken
// line is an error that names it.
func readLines(r io.Reader, yield func(*loadgen.Record) bool) error {
	br := bufio.NewReaderSize(r, 1<<20)
	rec := &loadgen.Record{Request: &loadgen.Request{}}
	var text []byte
	for n := 1; ; n++ {
		text = text[:0]
		var err error
		for {
			var part []byte
			part, err = br.ReadSlice('\n')
			text = append(text, part...)
			if !errors.Is(err, bufio.ErrBufferFull) {
				break
			}
			if len(text) > maxLine {
				return fmt.Errorf("line %d is longer than %d MiB", n, maxLine>>20)
			}
		}
		last := errors.Is(err, io.EOF)
		if err != nil && !last {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if last && len(text) == 0 {
			return nil
		}
		if err := parseLine(text, rec); err != nil {
			if last {
				return errTruncated
			}
			return fmt.Errorf("line %d: %w", n, err)
		}
		if !yield(rec) || last {
			return nil
		}
	}
}

// parseLine makes the record of a line again, but for the texts of prompt and
// answer, which no line carries.
func parseLine(text []byte, r *loadgen.Record) error {
	var l line
	if !l.scan(text) {
		l = line{}
		if err := json.Unmarshal(text, &l); err != nil {
			return err
		}
	}
	own := l.Own
	if own == nil {
		return errors.New("no loadgen object: not written by loadgen")
	}
	q := r.Request
	r.Reset()
	*q = loadgen.Request{
		ID: l.Metadata.RequestID, Session: l.Metadata.Conversation, Correlation: l.Metadata.Correlation, Turn: l.Metadata.Turn,
		InputTokens: own.Input, SharedTokens: own.Shared, TemplateTokens: own.Template, MaxTokens: own.Max, Delay: own.Delay,
	}
	r.Request = q
	if l.Metadata.Phase == loadgen.Warmup.String() {
		r.Phase = loadgen.Warmup
	}
	r.Index = l.Metadata.SessionNum
	r.Worker, _ = strconv.Atoi(strings.TrimPrefix(l.Metadata.Worker, "worker_"))
	r.Start = time.Unix(0, l.Metadata.Start)
	r.Due, r.Sent, r.Ended, r.Took, r.Held = own.Due, own.Sent, own.Ended, own.Took, own.Held
	if r.Sent < 0 && !own.Crossing || r.Ended < r.Sent || r.Took < 0 {
		return errors.New("times that run backwards")
	}
	if l.Metadata.Ack > 0 {
		r.Head = time.Duration(l.Metadata.Ack - l.Metadata.Start)
	}
	r.Ramp, r.First, r.Crossing = own.Ramp, own.First, own.Crossing
	r.Status, r.Streamed = own.Status, own.Streamed
	r.OutputTokens, r.ReasoningTokens = given(own.Output), given(own.Reasoning)
	r.Usage = loadgen.Usage{
		PromptTokens: given(own.Usage.Prompt), CompletionTokens: given(own.Usage.Completion),
		ReasoningTokens: given(own.Usage.Reasoning), CachedTokens: given(own.Usage.Cached),
		TotalTokens: or(own.Usage.Total, 0),
	}
	r.FinishReason, r.Model = own.Finish, own.Model
	if own.Timing == loadgen.Kernel.String() {
		r.Timing = loadgen.Kernel
	}
	r.Over = or(own.Over, r.Took)
	r.ReaderDelay, r.Reads, r.MergedReads = own.ReaderDelay, own.Reads, own.MergedReads
	r.FirstDelay, r.MeanDelay = or(own.FirstDelay, r.ReaderDelay), or(own.MeanDelay, r.ReaderDelay)
	r.BytesOut, r.BytesIn = own.BytesOut, own.BytesIn
	r.Conn = loadgen.Conn(own.Conn)
	if own.Failure != nil {
		f := loadgen.Failure(*own.Failure)
		r.Failure = &f
	}
	return parseChunks(&l, r)
}

func given(n *int) int { return or(n, -1) }

// or is the value of a key, or what it stands for when it is absent.
func or[T any](value *T, absent T) T {
	if value == nil {
		return absent
	}
	return *value
}

// parseChunks makes the chunks again. Their times are from their own list, or
// from TTFT and the gaps, which are exact to the nanosecond.
func parseChunks(l *line, r *loadgen.Record) error {
	times := l.Own.Chunks
	if gaps := l.Metrics.Gaps.Value; len(times) == 0 && len(gaps) > 0 {
		times = sumGaps(nanos(l.Metrics.TTFT.Value), gaps)
	}
	var err error
	if r.Chunks, err = parseKinds(r.Chunks, l.Own.Kinds, len(times)); err != nil {
		return err
	}
	if err := setTimes(r.Chunks, times); err != nil {
		return err
	}
	for _, c := range r.Chunks {
		if c.At < 0 {
			return errors.New("a chunk before its request")
		}
	}
	return nil
}

func nanos(ms float64) time.Duration { return time.Duration(math.Round(ms * 1e6)) }

// sumGaps returns the times of chunks from the first and the gaps.
func sumGaps(first time.Duration, gaps []float64) []time.Duration {
	times := []time.Duration{first}
	for i, gap := range gaps {
		times = append(times, times[i]+nanos(gap))
	}
	return times
}

// setTimes gives the chunks their times: one for each of them, or one for each
// that did not share the read of the chunk before it.
func setTimes(chunks []loadgen.Chunk, times []time.Duration) error {
	each := len(times) == len(chunks)
	n := 0
	for i := range chunks {
		if !each && shares(chunks, i) {
			chunks[i].At = chunks[i-1].At
			continue
		}
		if n < len(times) {
			chunks[i].At = times[n]
		}
		n++
	}
	if n != len(times) {
		return fmt.Errorf("chunk_kinds: %d chunks, of which %d began a read, for %d times", len(chunks), n, len(times))
	}
	return nil
}

// maxChunks bounds the memory that a run length of a foreign file can take.
const maxChunks = 4 << 20

// parseKinds appends the chunks of a run-length list of kinds; an empty one
// stands for so many of content.
func parseKinds(chunks []loadgen.Chunk, s string, plain int) ([]loadgen.Chunk, error) {
	if s == "" {
		return append(chunks, make([]loadgen.Chunk, plain)...), nil
	}
	for i := 0; i < len(s); {
		const kinds = len(kindLetters) / 2
		kind := strings.IndexByte(kindLetters, s[i])
		if kind < 0 {
			return nil, fmt.Errorf("chunk_kinds: %q is no kind", s[i])
		}
		i++
		digits := i
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		run := 1
		if i > digits {
			var err error
			if run, err = strconv.Atoi(s[digits:i]); err != nil {
				return nil, fmt.Errorf("chunk_kinds: %w", err)
			}
		}
		if run < 1 || run > maxChunks-len(chunks) {
			return nil, fmt.Errorf("chunk_kinds: a run of %d after %d chunks", run, len(chunks))
		}
		for range run {
			chunks = append(chunks, loadgen.Chunk{Kind: loadgen.ChunkKind(kind % kinds), Merged: kind >= kinds})
		}
	}
	return chunks, nil
}
