package results

// InputConfig is what was asked for, in the structure of AIPerf's
// configuration files, which forbids further keys: AIPerf's own reader accepts
// it. What has no place in it stands in run_metadata.json. Absent where empty.
type InputConfig struct {
	Models    InputModels        `json:"models"`
	Endpoint  InputEndpoint      `json:"endpoint"`
	Datasets  []InputDataset     `json:"datasets"`
	Phases    []InputPhase       `json:"phases"`
	SLOs      map[string]float64 `json:"slos,omitempty"`
	Tokenizer InputTokenizer     `json:"tokenizer,omitzero"`
}

// InputModels names the models.
type InputModels struct {
	Items []InputModel `json:"items"`
}

// InputModel names a model.
type InputModel struct {
	Name string `json:"name"`
}

// InputEndpoint says where requests went, and what they carried beside the
// prompt.
type InputEndpoint struct {
	URLs            []string       `json:"urls"`
	Type            string         `json:"type"`
	Path            string         `json:"path,omitempty"`
	Timeout         float64        `json:"timeout,omitempty"` // seconds
	Streaming       bool           `json:"streaming"`
	LegacyMaxTokens bool           `json:"use_legacy_max_tokens,omitempty"`
	Extra           map[string]any `json:"extra,omitempty"`
}

// InputDataset says what the prompts were like: synthetic, or out of a file.
type InputDataset struct {
	Name    string       `json:"name"`
	Type    string       `json:"type"`
	Path    string       `json:"path,omitempty"`
	Format  string       `json:"format,omitempty"`
	Seed    int64        `json:"random_seed"`
	Prompts InputPrompts `json:"prompts,omitzero"`
	Turns   *MeanStdDev  `json:"turns,omitempty"`
}

// InputPrompts holds the asked lengths in tokens.
type InputPrompts struct {
	Input  *MeanStdDev `json:"isl,omitempty"`
	Output *MeanStdDev `json:"osl,omitempty"`
}

// MeanStdDev is an asked normal distribution.
type MeanStdDev struct {
	Mean   float64 `json:"mean"`
	StdDev float64 `json:"stddev"`
}

// InputPhase says how the endpoint was loaded for a while.
type InputPhase struct {
	Name        string  `json:"name"` // warmup or profiling, as its Kind
	Kind        string  `json:"kind"`
	Type        string  `json:"type"` // concurrency, constant, poisson, gamma, user_centric, fixed_schedule
	Excluded    bool    `json:"exclude_from_results,omitempty"`
	Requests    int     `json:"requests,omitempty"`
	Duration    float64 `json:"duration,omitempty"` // seconds
	Concurrency int     `json:"concurrency,omitempty"`
	Rate        float64 `json:"rate,omitempty"` // requests/s
	Smoothness  float64 `json:"smoothness,omitempty"`
	Users       int     `json:"users,omitempty"`
	Grace       float64 `json:"grace_period,omitempty"` // seconds
}

// InputTokenizer names the tokenizer.
type InputTokenizer struct {
	Name string `json:"name,omitempty"`
}
