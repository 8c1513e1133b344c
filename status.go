package loadgen

// A Status says what became of a run, in one word for all files and tables.
type Status string

const (
	// Completed runs measured what they were asked to.
	Completed Status = "completed"
	// Interrupted runs were ended by the user before that. Files have AIPerf's
	// word for it.
	Interrupted Status = "cancelled"
	// Failed runs could not go on, or measured nothing.
	Failed Status = "failed"
	// Skipped runs were not made: they could only be worse than another.
	Skipped Status = "skipped"
	// Incomplete runs left no ending: their process was killed.
	Incomplete Status = "incomplete"
)
