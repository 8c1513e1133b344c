package sweep

// Profiler says which analyses run over a batch's records. Its keys are those
// of the AIQ profiler, whose block can be pasted as it stands, and two of our
// own; keys that are not written keep loadgen's defaults: everything that is
// cheap is on.
type Profiler struct {
	// Enable false leaves out all analyses and their files; they can be made
	// up for from the run's own.
	Enable bool `yaml:"enable"`
	// AIQCompat computes every figure as the toolkit does, its faults
	// included.
	AIQCompat bool `yaml:"aiq_compat"`
	// RequestFiles says when to write the files that have a place for every
	// request: auto leaves them out of large runs.
	RequestFiles RequestFiles `yaml:"request_files" validate:"oneof=auto always never"`

	// BaseMetrics asks for the runtimes of sessions, as workflow_runtime_forecast
	// does.
	BaseMetrics             bool `yaml:"base_metrics"`
	TokenUsageForecast      bool `yaml:"token_usage_forecast"`
	TokenUniquenessForecast bool `yaml:"token_uniqueness_forecast"`
	WorkflowRuntimeForecast bool `yaml:"workflow_runtime_forecast"`
	ComputeLLMMetrics       bool `yaml:"compute_llm_metrics"`
	CSVExcludeIOText        bool `yaml:"csv_exclude_io_text"`

	PromptCachingPrefixes    PrefixAnalysis     `yaml:"prompt_caching_prefixes"`
	BottleneckAnalysis       BottleneckAnalysis `yaml:"bottleneck_analysis"`
	ConcurrencySpikeAnalysis SpikeAnalysis      `yaml:"concurrency_spike_analysis"`
	PrefixSpanAnalysis       PrefixSpanAnalysis `yaml:"prefix_span_analysis"`
	PredictionTrie           PredictionTrie     `yaml:"prediction_trie"`
	DynamoMetrics            DynamoMetrics      `yaml:"dynamo_metrics"`
}

// RequestFiles says when files that grow with the number of requests, and only
// repeat what the records have, are written.
type RequestFiles string

const (
	FilesAuto   RequestFiles = "auto" // up to ManyRequests
	FilesAlways RequestFiles = "always"
	FilesNever  RequestFiles = "never"
)

// ManyRequests is how many a run may have to be given files with a place for
// each: of long prompts and answers these take 20 KB a request.
const ManyRequests = 2000

// ManyInVain is how many requests a run may have to be given these files although
// not one succeeded: what the rest would tell, the records do.
const ManyInVain = 100

// Written reports whether a run of so many requests, of which so many succeeded,
// has the files.
func (f RequestFiles) Written(requests, succeeded int) bool {
	return f == FilesAlways || f == FilesAuto && requests <= ManyRequests && (succeeded > 0 || requests <= ManyInVain)
}

// PrefixAnalysis finds prefixes that prompts have in common.
type PrefixAnalysis struct {
	Enable bool `yaml:"enable"`
	// MinFrequency is the share of calls that must have a prefix, 0..1.
	MinFrequency float64 `yaml:"min_frequency" validate:"gte=0,lte=1"`
}

// BottleneckAnalysis ranks operations by the time they take.
type BottleneckAnalysis struct {
	EnableSimpleStack bool `yaml:"enable_simple_stack"`
	EnableNestedStack bool `yaml:"enable_nested_stack"`
}

// SpikeAnalysis finds the times of high concurrency.
type SpikeAnalysis struct {
	Enable bool `yaml:"enable"`
	// SpikeThreshold is the level from which on it is a spike; 0, the default,
	// takes the 90th percentile of the levels.
	SpikeThreshold int `yaml:"spike_threshold" validate:"gte=0"`
}

// PrefixSpanAnalysis mines sequences of calls that recur.
type PrefixSpanAnalysis struct {
	Enable bool `yaml:"enable"`
	// MinSupport is the number of sessions that must hold a pattern; below 1,
	// their share.
	MinSupport  float64 `yaml:"min_support" validate:"gt=0"`
	MinCoverage float64 `yaml:"min_coverage" validate:"gte=0,lte=1"`
	// MaxTextLen is how many characters of a prompt tell calls apart.
	MaxTextLen              int  `yaml:"max_text_len" validate:"gte=1"`
	TopK                    int  `yaml:"top_k" validate:"gte=1"`
	ChainWithCommonPrefixes bool `yaml:"chain_with_common_prefixes"`
}

// PredictionTrie predicts what calls are still to come.
type PredictionTrie struct {
	Enable           bool    `yaml:"enable"`
	OutputFilename   string  `yaml:"output_filename" validate:"filename"`
	AutoSensitivity  bool    `yaml:"auto_sensitivity"`
	SensitivityScale int     `yaml:"sensitivity_scale" validate:"gte=1"`
	WCritical        float64 `yaml:"w_critical" validate:"gte=0"`
	WFanout          float64 `yaml:"w_fanout" validate:"gte=0"`
	WPosition        float64 `yaml:"w_position" validate:"gte=0"`
	WParallel        float64 `yaml:"w_parallel" validate:"gte=0"`
}

// DynamoMetrics reads the metrics of a Dynamo deployment from Prometheus.
type DynamoMetrics struct {
	Enable                  bool     `yaml:"enable"`
	PrometheusURL           string   `yaml:"prometheus_url" validate:"startswith=http"`
	CollectKVCache          bool     `yaml:"collect_kv_cache"`
	CollectTTFT             bool     `yaml:"collect_ttft"`
	CollectITL              bool     `yaml:"collect_itl"`
	CollectInflightRequests bool     `yaml:"collect_inflight_requests"`
	CollectThroughput       bool     `yaml:"collect_throughput"`
	CollectTokenThroughput  bool     `yaml:"collect_token_throughput"`
	QueryRange              string   `yaml:"query_range" validate:"min=1"`
	LookbackSeconds         float64  `yaml:"lookback_seconds" validate:"gte=0"`
	WorkflowStartTimestamp  *float64 `yaml:"workflow_start_timestamp"`
	WorkflowEndTimestamp    *float64 `yaml:"workflow_end_timestamp"`
}

// DefaultProfiler returns what runs where a batch file says nothing of it.
func DefaultProfiler() Profiler {
	return Profiler{
		Enable:                   true,
		RequestFiles:             FilesAuto,
		TokenUniquenessForecast:  true,
		WorkflowRuntimeForecast:  true,
		ComputeLLMMetrics:        true,
		PromptCachingPrefixes:    PrefixAnalysis{Enable: true, MinFrequency: 0.5},
		BottleneckAnalysis:       BottleneckAnalysis{EnableSimpleStack: true, EnableNestedStack: true},
		ConcurrencySpikeAnalysis: SpikeAnalysis{Enable: true},
		PrefixSpanAnalysis:       PrefixSpanAnalysis{MinSupport: 2, MaxTextLen: 1000, TopK: 10},
		PredictionTrie: PredictionTrie{
			OutputFilename: "prediction_trie.json", AutoSensitivity: true, SensitivityScale: 5,
			WCritical: 0.5, WFanout: 0.3, WPosition: 0.2,
		},
		DynamoMetrics: DynamoMetrics{
			PrometheusURL: "http://localhost:9090", QueryRange: "30s",
			CollectKVCache: true, CollectTTFT: true, CollectITL: true,
			CollectInflightRequests: true, CollectThroughput: true, CollectTokenThroughput: true,
		},
	}
}
