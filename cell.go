package loadgen

// A Cell is one combination of a batch's sweep values; a run is one execution
// of it.
type Cell struct {
	// Index is the position in the batch, from 0.
	Index int
	// Values are the swept keys and their values in the file's order; empty
	// for a batch without sweeps.
	Values []Value
	// Dir is the cell's directory name: key and value pairs in sorted key
	// order joined with "_"; empty for a batch without sweeps.
	Dir string
	// Seed is the cell's own: prompts differ between the cells of a batch.
	Seed Seed
}

// A Value is one swept key with the value it takes in a cell.
type Value struct {
	Key   string // below base_config, nested with dots: slos.time_to_first_token
	Value any    // int, float64, string or bool
}
