package guide

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// A First is what is asked for a first batch file. The zero value is one against
// the simulated endpoint.
type First struct {
	URL, Model   string
	Tokenizer    string // empty for the model's
	APIKeyEnvVar string // empty for none
	Users        []int  // to try, one after another
	Name         string
	Duration     int // seconds
	InputTokens  int
	OutputTokens int
}

// Simulated is the URL of the simulated endpoint.
const Simulated = "mock://"

// Ask asks for what was not said, a line each; an empty answer takes what stands
// in brackets. Who names the service and the model is asked nothing.
func (f *First) Ask(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	ask := func(question, otherwise string) (string, error) {
		fmt.Fprintf(out, "%s [%s]: ", question, otherwise)
		if !lines.Scan() {
			return "", cmp.Or(lines.Err(), io.ErrUnexpectedEOF)
		}
		return cmp.Or(strings.TrimSpace(lines.Text()), otherwise), nil
	}
	var err error
	named := f.URL != ""
	if !named {
		if f.URL, err = ask("URL of the service, without /v1; mock:// is a simulated one", Simulated); err != nil {
			return fmt.Errorf("asking for the URL: %w", err)
		}
	}
	if f.Model == "" && f.URL != Simulated {
		if f.Model, err = ask("Model, as the service calls it", "none"); err != nil {
			return fmt.Errorf("asking for the model: %w", err)
		}
		if f.Model == "none" {
			return errors.New("a service is asked for a model by its name: GET /v1/models lists them")
		}
	}
	if f.Users == nil && !named {
		answer, err := ask("Numbers of users to try", "1, 4, 16")
		if err != nil {
			return fmt.Errorf("asking for the users: %w", err)
		}
		if f.Users, err = ParseUsers(answer); err != nil {
			return err
		}
	}
	return nil
}

// ParseUsers reads numbers of users, with commas or blanks between them.
func ParseUsers(text string) ([]int, error) {
	var users []int
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%q is no number of users: write whole numbers such as 1, 4, 16", word)
		}
		users = append(users, n)
	}
	if len(users) == 0 {
		return nil, errors.New("no number of users: write whole numbers such as 1, 4, 16")
	}
	return users, nil
}

// Draft returns the batch file.
func (f First) Draft() (*Draft, error) {
	f.URL = cmp.Or(f.URL, Simulated)
	simulated := f.URL == Simulated
	if simulated {
		f.Model = cmp.Or(f.Model, "mock-model")
	}
	if f.Model == "" {
		return nil, errors.New("a service is asked for a model by its name: add --model")
	}
	if f.Users == nil {
		f.Users = []int{1, 4, 16}
	}
	d := &Draft{Head: "A sweep over the number of users. loadgen --config-file FILE runs it, with --dry-run\nit is only checked; loadgen explain KEY says what a key means.\n"}
	d.Set("batch_name", cmp.Or(f.Name, "first"), "names the directory of results")
	d.Set("output_base_dir", "loadgen_results", "")
	base := func(key string, value any, comment string) { d.Set("base_config."+key, value, comment) }
	base("model", f.Model, "")
	if f.Tokenizer != "" {
		base("tokenizer", f.Tokenizer, "a Hugging Face name or a local path")
	}
	comment := "the service's base, without /v1"
	if simulated {
		comment = "a simulated endpoint; put your service here"
	}
	base("url", f.URL, comment)
	if f.APIKeyEnvVar != "" {
		base("api_key_env_var", f.APIKeyEnvVar, "the variable that holds the key, never the key")
	}
	base("streaming", true, "needed for the time to the first token")
	duration := cmp.Or(f.Duration, map[bool]int{true: 8, false: 60}[simulated])
	most := f.Users[0]
	for _, n := range f.Users {
		most = max(most, n)
	}
	base("warmup_request_count", max(10, min(3*most, 100)), "sent before the clock starts")
	base("benchmark_duration", duration, "seconds for each cell")
	base("prompt_input_tokens_mean", cmp.Or(f.InputTokens, 200), "prompts of this many tokens, all different")
	base("prompt_output_tokens_mean", cmp.Or(f.OutputTokens, 50), "the length of answer that is asked for")
	if len(f.Users) == 1 {
		base("concurrency", f.Users[0], "users, each sending its next request when the last has ended")
		return d, nil
	}
	var values []any
	for _, n := range f.Users {
		values = append(values, n)
	}
	d.Sweep("concurrency", values)
	return d, nil
}
