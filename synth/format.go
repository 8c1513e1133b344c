package synth

import (
	"fmt"
	"slices"
	"strings"
)

// A Format is a kind of dataset file, named by AIPerf's custom_dataset_type.
type Format uint8

const (
	// NoFormat is that of a spec without a file.
	NoFormat Format = iota
	// SingleTurn has a request a line: {"text": …, "output_length": …}.
	SingleTurn
	// MultiTurn has a conversation a line: {"turns": [{"text": …, "delay": …}]}.
	MultiTurn
	// RandomPool has lines like SingleTurn's, which are taken in an order of
	// the seed's choosing, each once before any comes again.
	RandomPool
	// MooncakeTrace has the lengths and times of requests, a line each:
	// {"timestamp": …, "input_length": …, "output_length": …, "hash_ids": […]}.
	MooncakeTrace
	// ShareGPT is an array, or lines, of {"conversations": [{"from", "value"}]}.
	ShareGPT
	// InputsJSON is the inputs.json of a run, replayed as it was sent.
	InputsJSON
)

var formats = [...]string{"", "single_turn", "multi_turn", "random_pool", "mooncake_trace", "sharegpt", "inputs_json"}

// String returns the custom_dataset_type.
func (f Format) String() string { return formats[f] }

// Delays reports whether sessions of the format can have think times of their
// own.
func (f Format) Delays() bool { return f == MultiTurn }

// ParseFormat reads a custom_dataset_type.
func ParseFormat(name string) (Format, error) {
	if i := slices.Index(formats[1:], name); i >= 0 {
		return Format(i + 1), nil
	}
	return NoFormat, fmt.Errorf("custom_dataset_type %q is none of %s", name, formatNames())
}

func formatNames() string { return strings.Join(formats[1:], ", ") }

// parse reads an entry of a file of this format.
func (f Format) parse(json []byte) (entry, error) {
	switch f {
	case SingleTurn, RandomPool:
		return parseSingleTurn(json, f)
	case MultiTurn:
		return parseMultiTurn(json)
	case MooncakeTrace:
		return parseMooncake(json)
	case ShareGPT:
		return parseShareGPT(json)
	}
	return parseInputs(json)
}
