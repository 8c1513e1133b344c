package results

import (
	"encoding/json"
	"time"

	"loadgen"
	"loadgen/metrics"
)

// Metadata is what is known of a run before it begins: run_metadata.json.
type Metadata struct {
	Timestamp  time.Time
	ConfigFile string
	Cell       loadgen.Cell
	// Repeat says which run of the cell it is, from 1; 0 where it has but one.
	Repeat int
	// Dir is the run's directory below the batch's: RunDir.
	Dir string
	// BaseConfig is the batch file's base_config, as it was written, without
	// secrets. Whatever encoding/json can marshal.
	BaseConfig any
	// Command is the command line, without secrets.
	Command []string

	// What follows is loadgen's own and stands under the key "loadgen".

	Version   string
	Label     string       // what is tested, as its user calls it
	Seed      loadgen.Seed // of the batch; the cell's is in Cell
	Host      any          // what the machine is: kernel, CPUs, limits
	Config    any          // the cell's configuration with every default filled in
	Endpoint  any          // the settings of the simulated endpoint; nil for another
	Rounds    any          // how the runs of a cell were repeated; nil where there is one
	Overrides []string     // --set key=value, as given
	Gate      []string     // the batch file's rules for a comparison
	Facts     metrics.Facts
}

// metadataFile is run_metadata.json: the keys of the runner around AIPerf, with
// its indices from 0 and its command as one text, then loadgen's own.
type metadataFile struct {
	RunIndex    int             `json:"run_index"`
	Timestamp   string          `json:"timestamp"`
	ConfigFile  string          `json:"config_file"`
	SweepParams json.RawMessage `json:"sweep_params"`
	BaseConfig  any             `json:"base_config"`
	Command     commandText     `json:"command"`
	Own         metadataOwn     `json:"loadgen"`
}

// commandText is a command line as one text. Earlier versions wrote a list,
// and their nights are to be read, too.
type commandText string

func (c *commandText) UnmarshalJSON(data []byte) error {
	var list []string
	if json.Unmarshal(data, &list) == nil {
		*c = commandText(commandLine(list))
		return nil
	}
	return json.Unmarshal(data, (*string)(c))
}

type metadataOwn struct {
	Version   string        `json:"version,omitempty"`
	Label     string        `json:"label,omitempty"`
	Seed      uint64        `json:"seed"`
	CellSeed  uint64        `json:"cell_seed"`
	CellIndex int           `json:"cell_index"`
	Repeat    int           `json:"repeat,omitempty"`
	Dir       string        `json:"dir,omitempty"`
	Host      any           `json:"host,omitempty"`
	Config    any           `json:"config,omitempty"`
	Endpoint  any           `json:"mock,omitempty"`
	Rounds    any           `json:"rounds,omitempty"`
	Args      []string      `json:"args,omitempty"`
	Overrides []string      `json:"overrides,omitempty"`
	Gate      []string      `json:"gate,omitempty"`
	Facts     metrics.Facts `json:"facts"`
}

func (m *Metadata) file() (metadataFile, error) {
	params, err := sweepParams(m.Cell.Values)
	return metadataFile{
		RunIndex:    m.Cell.Index,
		Timestamp:   localTime(m.Timestamp),
		ConfigFile:  m.ConfigFile,
		SweepParams: params,
		BaseConfig:  m.BaseConfig,
		Command:     commandText(commandLine(m.Command)),
		Own: metadataOwn{
			Version: m.Version, Label: m.Label, Seed: uint64(m.Seed), CellSeed: uint64(m.Cell.Seed), CellIndex: m.Cell.Index,
			Repeat: m.Repeat, Dir: m.Dir,
			Host: m.Host, Config: m.Config, Endpoint: m.Endpoint, Rounds: m.Rounds, Args: m.Command, Overrides: m.Overrides, Gate: m.Gate, Facts: m.Facts,
		},
	}, err
}

// sweepParams is an object in the order of the batch file, null for a batch
// without sweeps: the runner's None.
func sweepParams(values []loadgen.Value) (json.RawMessage, error) {
	if len(values) == 0 {
		return json.RawMessage("null"), nil
	}
	var o object
	o.open()
	for _, v := range values {
		if err := o.any(v.Key, v.Value); err != nil {
			return nil, err
		}
	}
	o.close()
	return o.b, nil
}
