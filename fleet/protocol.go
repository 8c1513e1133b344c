package fleet

import (
	"encoding/json"
	"strconv"
	"time"

	"loadgen"
	"loadgen/runner"
	"loadgen/synth"
)

// protocol is the version of what is said here: both sides must have the same.
const protocol = 2

// A seat is where one worker and the coordinator talk: subjects with its number,
// and with a key that it made up and no other worker knows. Who has been replaced
// has another key than who came in its stead.
type seat struct {
	base  string // in front of all subjects of the batch
	index int
	key   string
}

// What stands at the end of subjects.
const (
	toDo      = "do"      // what the worker is told
	toClock   = "clock"   // what time it has
	toBeat    = "beat"    // that it is there
	toEvent   = "event"   // what it tells
	toRecords = "records" // what it made
	toLeft    = "left"    // what it has kept of a batch that was broken off
)

// alive ends the subject where the coordinator says that it is there.
const alive = "alive"

// anyone is the number of all workers, in subjects that are listened to.
const anyone = -1

func (s seat) subject(what string) string {
	number := "*"
	if s.index != anyone {
		number = strconv.Itoa(s.index)
	}
	return s.base + "w." + number + "." + s.key + "." + what
}

// A Script is what a worker is told of the batch: the file as it was read, with
// what was said about it from outside. Secrets that it refers to by the names of
// variables are the worker's own.
type Script struct {
	Name          string   `json:"name"`
	Text          []byte   `json:"text"`
	Overrides     []string `json:"overrides,omitempty"`
	Only          []string `json:"only,omitempty"`
	Skip          []string `json:"skip,omitempty"`
	Salt          string   `json:"salt"`
	OutputBaseDir string   `json:"output_base_dir,omitempty"`
	// Endpoint is where the simulated endpoint listens, for cells that ask for it.
	Endpoint string `json:"endpoint,omitempty"`
	Offline  bool   `json:"offline,omitempty"`
	// Files are the digests of the files that the batch names, by their paths.
	Files map[string]string `json:"files,omitempty"`
}

// hello is what a worker says first.
type hello struct {
	Protocol int    `json:"protocol"`
	Version  string `json:"version"`
	Index    int    `json:"index"` // that it wants; -1 for any
	Host     string `json:"host"`
	Process  int    `json:"pid"`
	Key      string `json:"key"` // that it made up, the same when it asks again
}

// welcome is the answer. A worker that is refused is told why.
type welcome struct {
	Refused string `json:"refused,omitempty"`
	Final   bool   `json:"final,omitempty"` // it need not ask again
	Batch   string `json:"batch"`           // in front of all subjects
	Index   int    `json:"index"`
	Script  Script `json:"script"`
	// Resumed is the directory of a batch that goes on; empty for one that begins.
	Resumed string `json:"resumed,omitempty"`
}

// What a coordinator tells a worker to do.
const (
	doBegin  = "begin"  // make ready for a run
	doStart  = "start"  // begin a phase at a moment
	doLearn  = "learn"  // what the warm-up has taught
	doStop   = "stop"   // send nothing new
	doCancel = "cancel" // and give up what is in flight
	doClose  = "close"  // the run is over without you
	doEnd    = "end"    // the batch is over
)

// A command is what a worker is told. It may come twice.
type command struct {
	Do     string         `json:"do"`
	Run    int            `json:"run,omitempty"` // of the batch, from 1
	Order  runner.Order   `json:"order,omitzero"`
	Phase  loadgen.Phase  `json:"phase,omitempty"`
	At     int64          `json:"at,omitempty"` // by the worker's clock, unix nanoseconds
	Lesson *runner.Lesson `json:"lesson,omitempty"`
	// Spools is the directory for the records of a run that wait to be taken in;
	// empty for one of the worker's choice.
	Spools string `json:"spools,omitempty"`
	// Dir is the directory of the run where it is gathered: the name of what a
	// worker keeps of it.
	Dir string `json:"dir,omitempty"`
}

// A reply answers a command or an event.
type reply struct {
	Error  string `json:"error,omitempty"`
	Digest string `json:"digest,omitempty"` // of what the worker would send
	Enough bool   `json:"enough,omitempty"`
	Over   bool   `json:"over,omitempty"` // the run is, and takes nothing in any more
}

// What a worker tells.
const (
	isHere    = "here"   // has read the batch, and can begin
	isReady   = "ready"  // for the first request of a phase
	isWarm    = "warm"   // the warm-up has drained and all its records are home
	asksLook  = "look"   // is it enough?
	isDone    = "done"   // with a run, all of whose records are home
	isLeaving = "leaves" // was told to end by someone else
)

// An event is what a worker tells. It may come twice.
type event struct {
	What   string        `json:"what"`
	Run    int           `json:"run"`
	Phase  loadgen.Phase `json:"phase,omitempty"`
	Look   int           `json:"look,omitempty"`
	Size   int64         `json:"size,omitempty"` // of all its records
	Result *result       `json:"result,omitempty"`
	Why    string        `json:"why,omitempty"`
}

// A result is what became of a worker's portion of a run, beside its records.
type result struct {
	Outcome   loadgen.Outcome   `json:"outcome"`
	Health    loadgen.Health    `json:"health"`
	Transport loadgen.Transport `json:"transport"`
	Prompts   synth.Stats       `json:"prompts"`
	Late      time.Duration     `json:"late"`
	Behind    time.Duration     `json:"behind,omitempty"`
	Verdict   string            `json:"verdict"`
	Reasons   []string          `json:"reasons,omitempty"`
	Error     string            `json:"error,omitempty"`
}

// A beat says that a worker is there, and how its run goes on.
type beat struct {
	Run     int           `json:"run,omitempty"` // that it is at; 0 for none
	Phase   loadgen.Phase `json:"phase,omitempty"`
	Issued  int           `json:"issued,omitempty"`
	Flight  int           `json:"flight,omitempty"`
	Elapsed time.Duration `json:"elapsed,omitempty"`
	Stage   bool          `json:"stage,omitempty"`   // a phase has begun
	Drained bool          `json:"drained,omitempty"` // its load has become less
}

// encode writes a message; its types cannot fail to be written.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
