package sweep

import "time"

// DefaultSeed is the random_seed of a batch file that names none: a batch is
// reproducible unless it is told not to be.
const DefaultSeed = 42

// Config is a base_config, or that of one cell: the base with the cell's
// values. Keys that were not written hold their defaults; [Config.Given] tells
// the two apart. In the tags, need holds an example for a required key, unless
// the key that may stand in its place, unit the unit of a number that stands for
// a duration, and below what a number is less than where no validate tag can say
// it.
type Config struct {
	Model     string `yaml:"model" need:"meta/llama-3.3-70b-instruct" validate:"min=1"`
	Tokenizer string `yaml:"tokenizer" validate:"min=1"`

	// URL is the service's base, without the endpoint's path; mock:// starts
	// the simulated endpoint.
	URL      string `yaml:"url" need:"http://localhost:8000" validate:"service"`
	Endpoint string `yaml:"endpoint" validate:"startswith=/"`
	// EndpointType is chat or completions.
	EndpointType        string `yaml:"endpoint_type" validate:"oneof=chat completions"`
	HealthCheckEndpoint string `yaml:"health_check_endpoint" validate:"startswith=/"`
	// APIKeyEnvVar names the environment variable that holds the API key.
	APIKeyEnvVar string `yaml:"api_key_env_var" validate:"envvar"`
	// Headers may hold ${NAME} for the value of an environment variable;
	// [Config.ExpandedHeaders] puts it in.
	Headers     map[string]string `yaml:"headers" validate:"dive,keys,headername,endkeys,headervalue"`
	TLS         TLS               `yaml:"tls"`
	Transport   string            `yaml:"transport" validate:"oneof=auto raw std"`
	HTTPVersion Version           `yaml:"http_version" validate:"oneof=auto 1.1 2"`
	Streaming   bool              `yaml:"streaming"`

	// WarmupRequestCount and WarmupDuration end the warm-up, whichever comes
	// first; without either there is none.
	WarmupRequestCount int           `yaml:"warmup_request_count" need:"20" unless:"warmup_duration" validate:"gte=0"`
	WarmupDuration     time.Duration `yaml:"warmup_duration" unit:"s" validate:"gte=0"`
	WarmupConcurrency  int           `yaml:"warmup_concurrency" validate:"gte=1,lte=1000000"`
	WarmupRequestRate  float64       `yaml:"warmup_request_rate" validate:"gt=0,lte=10000000"`
	// WarmupHandover says whether the measurement waits for the answers of the
	// warm-up: seamless or drain.
	WarmupHandover string `yaml:"warmup_handover" validate:"oneof=seamless drain"`
	// Start says how the users of a closed loop begin: staggered or together.
	Start string `yaml:"start" validate:"oneof=staggered together"`
	// Preconnect opens the connections before the first request.
	Preconnect bool `yaml:"preconnect"`

	BenchmarkDuration time.Duration `yaml:"benchmark_duration" unit:"s" validate:"gt=0"`
	RequestCount      int           `yaml:"request_count" validate:"gte=1"`
	GracePeriod       time.Duration `yaml:"grace_period" unit:"s" validate:"gte=0"`
	RequestTimeout    time.Duration `yaml:"request_timeout" unit:"s" validate:"gt=0"`
	// GiveUpAfter is for how many seconds there may be no success while requests
	// fail, MaxErrorRate what share of the latest requests may fail.
	GiveUpAfter  Limit `yaml:"give_up_after"`
	MaxErrorRate Limit `yaml:"max_error_rate" below:"1"`
	// ResponseMemoryLimit is what all replies that are being read hold together,
	// in MiB; 0 for the client's default.
	ResponseMemoryLimit int `yaml:"response_memory_limit" validate:"gte=16,lte=1048576"`

	Concurrency             int           `yaml:"concurrency" validate:"gte=1,lte=1000000"`
	ConcurrencyRampDuration time.Duration `yaml:"concurrency_ramp_duration" unit:"s" validate:"gte=0"`
	RequestRate             Rate          `yaml:"request_rate"`
	RequestRateMode         string        `yaml:"request_rate_mode" validate:"oneof=constant poisson gamma"`
	RequestRateSmoothness   float64       `yaml:"request_rate_smoothness" validate:"gt=0"`
	RequestRateRampDuration time.Duration `yaml:"request_rate_ramp_duration" unit:"s" validate:"gte=0"`
	NumUsers                int           `yaml:"num_users" validate:"gte=1"`
	// UserRequestRate is the pace of each user in requests per second.
	UserRequestRate float64 `yaml:"user_request_rate" validate:"gt=0"`
	FixedSchedule   bool    `yaml:"fixed_schedule"`

	RandomSeed                 int64   `yaml:"random_seed" validate:"gte=0"`
	PromptInputTokensMean      float64 `yaml:"prompt_input_tokens_mean" validate:"gte=1"`
	PromptInputTokensStddev    float64 `yaml:"prompt_input_tokens_stddev" validate:"gte=0"`
	PromptOutputTokensMean     float64 `yaml:"prompt_output_tokens_mean" validate:"gte=1"`
	PromptOutputTokensStddev   float64 `yaml:"prompt_output_tokens_stddev" validate:"gte=0"`
	SequenceDistribution       string  `yaml:"sequence_distribution" validate:"min=1"`
	InputTokensIncludeTemplate bool    `yaml:"input_tokens_include_template"`
	PromptCorpus               string  `yaml:"prompt_corpus" validate:"min=1"`
	SharedSystemPromptLength   int     `yaml:"shared_system_prompt_length" validate:"gte=0"`
	NumPrefixPrompts           int     `yaml:"num_prefix_prompts" validate:"gte=0"`
	PrefixPromptLength         int     `yaml:"prefix_prompt_length" validate:"gte=0"`

	SessionTurnsMean       float64       `yaml:"session_turns_mean" validate:"gte=1"`
	SessionTurnsStddev     float64       `yaml:"session_turns_stddev" validate:"gte=0"`
	SessionTurnDelayMean   time.Duration `yaml:"session_turn_delay_mean" unit:"ms" validate:"gte=0"`
	SessionTurnDelayStddev time.Duration `yaml:"session_turn_delay_stddev" unit:"ms" validate:"gte=0"`
	// ConversationHistory says whose answers later turns carry: server or
	// synthetic.
	ConversationHistory string `yaml:"conversation_history" validate:"oneof=server synthetic"`

	// CacheBust says which prompts differ from those of other nights although
	// the seed is the same: those of every batch, of every run, or none.
	CacheBust string `yaml:"cache_bust" validate:"oneof=batch run none"`
	// CacheBustSalt is what sets them apart. Where it is not written it is that
	// of [Options].
	CacheBustSalt Version `yaml:"cache_bust_salt" validate:"min=1,max=100"`

	InputFile         string `yaml:"input_file" validate:"min=1"`
	CustomDatasetType string `yaml:"custom_dataset_type" validate:"oneof=single_turn multi_turn random_pool mooncake_trace sharegpt inputs_json"`

	// ExtraInputs is merged into the request body and wins over generated
	// keys.
	ExtraInputs        map[string]any `yaml:"extra_inputs"`
	UseLegacyMaxTokens bool           `yaml:"use_legacy_max_tokens"`
	// UseServerTokenCount makes the input length the server's count. That of an
	// output is it wherever it gives one.
	UseServerTokenCount bool `yaml:"use_server_token_count"`
	// IgnoreEOS asks the server to generate on past the end of its answer.
	IgnoreEOS bool `yaml:"ignore_eos"`
	// MinOutputTokens sends min_tokens equal to the output length asked for.
	MinOutputTokens bool `yaml:"min_output_tokens"`

	// GPUs are those of the deployment, for figures per GPU; 0 where nobody said.
	GPUs int `yaml:"gpus" validate:"gte=1,lte=1000000"`
	// CostPerGPUHour is what one of them costs for an hour, in whatever money.
	CostPerGPUHour float64 `yaml:"cost_per_gpu_hour" validate:"gt=0"`

	// SLOs are limits by metric tag, in the tag's display unit.
	SLOs        map[string]float64 `yaml:"slos" validate:"dive,keys,slo,endkeys,gt=0"`
	RequireSLOs bool               `yaml:"require_slos"`
	// Certify bounds the percentiles of a run, and those of its budgets.
	Certify Certify `yaml:"certify"`
	// Budgets are limits of a run by metric tag, with a statistic where the
	// metric has a distribution: time_to_first_token.p99. Without one it is the
	// average. Limits of metrics of which more is better are minima.
	Budgets map[string]float64 `yaml:"budgets" validate:"dive,keys,budget,endkeys,gte=0"`
	// Validity overrides thresholds of the verdict by name.
	Validity map[string]float64 `yaml:"validity" validate:"dive,keys,threshold,endkeys,gte=0"`

	// ServerParameters are settings of the server that hooks are told.
	ServerParameters map[string]any `yaml:"server_parameters"`

	// ServerMetrics are where the server's own metrics are taken from; GPUMetrics
	// likewise those of its GPUs.
	ServerMetrics         Places        `yaml:"server_metrics"`
	GPUMetrics            Places        `yaml:"gpu_metrics"`
	ServerMetricsInterval time.Duration `yaml:"server_metrics_interval" unit:"s" validate:"gte=0.1s,lte=1h"`
	// ServerMetricsFormats are the files that they are written to.
	ServerMetricsFormats Formats `yaml:"server_metrics_formats"`
	// SliceDuration asks for AIPerf's files of a run in slices of its time.
	SliceDuration time.Duration `yaml:"slice_duration" unit:"s" validate:"gte=0.1s"`

	given map[string]bool
}

// TLS is how an https service is trusted and what the client shows of itself.
type TLS struct {
	CAFile             string `yaml:"ca_file" validate:"min=1"`
	CertFile           string `yaml:"cert_file" validate:"min=1"`
	KeyFile            string `yaml:"key_file" validate:"min=1"`
	InsecureSkipVerify bool   `yaml:"insecure_skip_verify"`
}

const (
	chatEndpoint        = "/v1/chat/completions"
	completionsEndpoint = "/v1/completions"
	mockURL             = "mock://"
)

// How the warm-up hands over to the measurement, and how users start.
const (
	Seamless  = "seamless"  // what is in flight goes on
	Drain     = "drain"     // every answer is waited for
	Staggered = "staggered" // one after another
	Together  = "together"  // all at once
)

// defaults returns the config of a base_config without keys.
func defaults() Config {
	return Config{
		Endpoint:              chatEndpoint,
		EndpointType:          "chat",
		HealthCheckEndpoint:   "/v1/models",
		Transport:             "auto",
		HTTPVersion:           "auto",
		GracePeriod:           30 * time.Second,
		RequestTimeout:        600 * time.Second,
		WarmupHandover:        Seamless,
		Start:                 Staggered,
		Preconnect:            true,
		GiveUpAfter:           Limit{10, true},
		RequestRateMode:       "constant",
		RequestRateSmoothness: 1,
		RandomSeed:            DefaultSeed,
		PromptInputTokensMean: 550,
		SessionTurnsMean:      1,
		ConversationHistory:   "server",
		CacheBust:             "batch",
		ServerMetricsInterval: time.Second,
		ServerMetricsFormats:  []string{"json", "csv"},
	}
}

// Given reports whether a key was written, in the base, a sweep or an override.
// The key is a path below base_config, such as slos.time_to_first_token.
func (c *Config) Given(key string) bool { return c.given[key] }

// WarmsUp reports whether there is a warm-up.
func (c *Config) WarmsUp() bool { return c.WarmupRequestCount > 0 || c.WarmupDuration > 0 }

// Mock reports whether the endpoint is the simulated one.
func (c *Config) Mock() bool { return c.URL == mockURL }
