package mockllm

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Fault is a way to misbehave and how often. Several may strike one request.
type Fault struct {
	// Kind is one of the kinds listed in docs/mock.md.
	Kind string `yaml:"kind"`
	// Every strikes every n-th request (connection for refuse), from the n-th.
	Every int `yaml:"every"`
	// Probability strikes by seeded chance, 0 to 1. With neither set every
	// request is struck.
	Probability float64 `yaml:"probability"`
	// Status is the HTTP status of kind status. Default 503.
	Status int `yaml:"status"`
	// RetryAfter is sent with kind status, in whole seconds. Default none.
	RetryAfter time.Duration `yaml:"retry_after"`
	// HTML makes the body of kind status a page rather than a JSON error.
	HTML bool `yaml:"html"`
	// After is the number of chunks that come first: cut, torn, error_event,
	// stall. Default 0.
	After int `yaml:"after"`
	// For is how long: stall (0 until the client leaves), slow_head.
	For time.Duration `yaml:"for"`
	// Size is a number of events (group) or bytes (shred, pad). Default 2
	// events, 1 byte, 65536 bytes.
	Size int `yaml:"size"`
}

// The kinds of fault, with what each does.
const (
	faultStatus        = "status"        // answers with an error status
	faultRefuse        = "refuse"        // resets the connection when it is accepted
	faultHangup        = "hangup"        // closes the connection in place of an answer
	faultReset         = "reset"         // resets the connection in place of an answer
	faultSlowHead      = "slow_head"     // holds the response headers back
	faultGarbage       = "garbage"       // answers 200 with an HTML page
	faultCut           = "cut"           // closes the connection after some chunks
	faultTorn          = "torn"          // … in the middle of the next one
	faultNoDone        = "no_done"       // leaves out [DONE]
	faultErrorEvent    = "error_event"   // sends an error inside the stream and ends it
	faultStall         = "stall"         // pauses after some chunks
	faultCRLF          = "crlf"          // ends lines with \r\n
	faultComments      = "comments"      // puts a comment before every event
	faultTight         = "tight"         // leaves out the space after data:
	faultMultiline     = "multiline"     // spreads an event's data over two lines
	faultBOM           = "bom"           // begins the stream with a byte order mark
	faultUnicode       = "unicode"       // answers in emoji, four bytes a token
	faultPad           = "pad"           // makes one event large
	faultGroup         = "group"         // puts several events into one write
	faultBurst         = "burst"         // puts all events into one write
	faultShred         = "shred"         // tears every write into small ones
	faultDelimited     = "delimited"     // ends the body by closing the connection
	faultInformational = "informational" // sends 103 before the answer
	faultCloses        = "closes"        // closes the connection after the answer, unannounced
)

var faultKinds = []string{
	faultStatus, faultRefuse, faultHangup, faultReset, faultSlowHead, faultGarbage,
	faultCut, faultTorn, faultNoDone, faultErrorEvent, faultStall, faultCRLF, faultComments,
	faultTight, faultMultiline, faultBOM, faultUnicode, faultPad, faultGroup, faultBurst,
	faultShred, faultDelimited, faultInformational, faultCloses,
}

// ParseFault reads a fault from a line such as "cut every=10 after=3": the kind,
// then fields by their names in a batch file, separated by spaces or commas.
func ParseFault(s string) (Fault, error) {
	words := strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' })
	if len(words) == 0 {
		return Fault{}, errors.New("fault is empty: say a kind, as in \"status every=10\"")
	}
	f := Fault{Kind: words[0]}
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		var err error
		switch key {
		case "every":
			f.Every, err = strconv.Atoi(value)
		case "probability":
			f.Probability, err = strconv.ParseFloat(value, 64)
		case "status":
			f.Status, err = strconv.Atoi(value)
		case "retry_after":
			f.RetryAfter, err = time.ParseDuration(value)
		case "html":
			f.HTML, err = strconv.ParseBool(value)
		case "after":
			f.After, err = strconv.Atoi(value)
		case "for":
			f.For, err = time.ParseDuration(value)
		case "size":
			f.Size, err = strconv.Atoi(value)
		default:
			err = errors.New("no such field")
		}
		if err != nil {
			return Fault{}, fmt.Errorf("fault %q: %s: %w", s, key, err)
		}
	}
	if err := f.validate(); err != nil {
		return Fault{}, fmt.Errorf("fault %q: %w", s, err)
	}
	return f, nil
}

func (f Fault) validate() error {
	var errs []error
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	uses := func(kinds ...string) bool { return slices.Contains(kinds, f.Kind) }
	bad(!uses(faultKinds...), "kind: %q is unknown: use one of %s", f.Kind, strings.Join(faultKinds, ", "))
	bad(f.Every < 0 || f.After < 0 || f.Size < 0 || f.For < 0 || f.RetryAfter < 0, "a value is negative")
	bad(!(f.Probability >= 0 && f.Probability <= 1), "probability: %v is not between 0 and 1", f.Probability)
	bad(f.Every > 0 && f.Probability > 0, "every and probability exclude each other")
	bad(f.Status != 0 && (f.Status < 300 || f.Status > 599), "status: %d is no failure: use 300 to 599", f.Status)
	status := uses(faultStatus)
	bad(!status && (f.Status != 0 || f.RetryAfter != 0 || f.HTML), "status, retry_after, html: only with kind status")
	bad(f.After != 0 && !uses(faultCut, faultTorn, faultErrorEvent, faultStall), "after: not with kind %s", f.Kind)
	bad(f.For != 0 && !uses(faultStall, faultSlowHead), "for: not with kind %s", f.Kind)
	bad(f.Size != 0 && !uses(faultGroup, faultShred, faultPad), "size: not with kind %s", f.Kind)
	return errors.Join(errs...)
}

// strikes reports whether the fault, the i-th of the configuration, hits item
// n, counted from 0.
func (f Fault) strikes(seed uint64, i int, n uint64) bool {
	switch {
	case f.Every > 0:
		return n%uint64(f.Every) == uint64(f.Every)-1
	case f.Probability > 0:
		return stream(seed, "fault "+strconv.Itoa(i)+" "+f.Kind, n).Float64() < f.Probability
	}
	return true
}

// A plan is the faults that strike one request, by kind.
type plan map[string]Fault

// faultsOf decides for request n; asked is the header X-Mock-Fault, which a
// client may use to order a fault of its own.
func (s *Server) faultsOf(n uint64, asked []string) (plan, error) {
	if len(s.cfg.Faults) == 0 && len(asked) == 0 {
		return nil, nil
	}
	p := plan{}
	for i, f := range s.cfg.Faults {
		if f.Kind != faultRefuse && f.strikes(s.cfg.Seed, i, n) {
			p[f.Kind] = f
		}
	}
	for _, text := range asked {
		f, err := ParseFault(text)
		if err != nil {
			return nil, err
		}
		p[f.Kind] = f
	}
	return p, nil
}

// refuses decides for connection n.
func (s *Server) refuses(n uint64) bool {
	for i, f := range s.cfg.Faults {
		if f.Kind == faultRefuse && f.strikes(s.cfg.Seed, i, n) {
			return true
		}
	}
	return false
}

func (p plan) has(kind string) bool {
	_, ok := p[kind]
	return ok
}

// at reports whether a fault of the kind strikes after n chunks.
func (p plan) at(kind string, n int) bool {
	f, ok := p[kind]
	return ok && f.After == n
}

// size returns the fault's size or its default.
func (p plan) size(kind string, def int) int {
	if n := p[kind].Size; n > 0 {
		return n
	}
	return def
}

// status returns the status to fail with.
func (f Fault) status() int {
	if f.Status == 0 {
		return http.StatusServiceUnavailable
	}
	return f.Status
}
