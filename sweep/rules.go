package sweep

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/go-playground/validator/v10"
	"go.yaml.in/yaml/v4"

	"loadgen/metrics"
)

var (
	envName    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
)

// rules checks single values by the validate tags of the structs.
var rules = sync.OnceValue(func() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(func(field reflect.StructField) string { return field.Tag.Get("yaml") })
	for tag, valid := range map[string]func(string) bool{
		"service":     func(s string) bool { message, _ := serviceFault(s); return message == "" },
		"filename":    isFileName,
		"envvar":      envName.MatchString,
		"headername":  headerName.MatchString,
		"headervalue": isHeaderValue,
		"slo":         func(s string) bool { return slices.Contains(requestTags(), s) },
		"budget":      isBudget,
		"figure":      isBudget,
		"threshold":   func(s string) bool { return slices.Contains(thresholds(), s) },
	} {
		check := func(level validator.FieldLevel) bool { return valid(level.Field().String()) }
		if err := v.RegisterValidation(tag, check); err != nil {
			panic(err) // only for a tag that is no word
		}
	}
	return v
})

// keyRules are the rules that a key can break rather than its value.
var keyRules = []string{"headername", "slo", "budget", "threshold"}

// checkValues reports the values of a batch that break the rule of their field.
// Values that were not written hold defaults and are not looked at.
func (b *binder) checkValues(v any) { b.checkValuesAt(v, keyPath) }

// checkValuesAt does so for any struct; at is the path of a key by the
// validator's namespace.
func (b *binder) checkValuesAt(v any, at func(namespace string) string) {
	var broken validator.ValidationErrors
	errors.As(rules().Struct(v), &broken)
	for _, e := range broken {
		if path := at(e.Namespace()); b.sound(path) {
			message, hint := explain(e, b.values[path])
			at := b.values[path]
			if slices.Contains(keyRules, e.Tag()) {
				at = b.keys[path]
			}
			b.fail(at, path, message, hint)
		}
	}
}

// keyPath turns a validator's namespace into the path of a key:
// Batch.base_config.slos[ttft] into base_config.slos.ttft.
func keyPath(namespace string) string {
	_, path, _ := strings.Cut(namespace, ".")
	if head, key, indexed := strings.Cut(path, "["); indexed {
		return head + "." + strings.TrimSuffix(key, "]")
	}
	return path
}

// explain says what a broken rule asks for.
func explain(broken validator.FieldError, n *yaml.Node) (message, hint string) {
	rule, parameter := broken.Tag(), broken.Param()
	key, _ := broken.Value().(string) // of a key that breaks its rule
	switch rule {
	case "gte":
		return fmt.Sprintf("must be at least %s, not %s", parameter, n.Value), ""
	case "gt":
		return fmt.Sprintf("must be above %s, not %s", parameter, n.Value), ""
	case "lt":
		return fmt.Sprintf("must be below %s, not %s", parameter, n.Value), ""
	case "lte":
		return fmt.Sprintf("must be at most %s, not %s", parameter, n.Value), ""
	case "min":
		return "must not be empty", ""
	case "max":
		return "must have at most " + parameter + " characters", ""
	case "oneof":
		words := strings.Fields(parameter)
		return fmt.Sprintf("must be one of %s, not %s", strings.Join(words, ", "), describe(n)), suggest(n.Value, words)
	case "startswith":
		return "must begin with " + parameter, "write " + parameter + n.Value
	case "service":
		return serviceFault(n.Value)
	case "filename":
		return "must be usable as the name of a directory", `use letters, digits, "-", "_" and "."; at most 100 characters`
	case "envvar":
		return "is not the name of an environment variable", "name the variable that holds the key, such as NVIDIA_API_KEY; never write the key itself"
	case "headername":
		return "is not the name of an HTTP header", ""
	case "headervalue":
		return "is not the value of an HTTP header", "write one line; " + referenceHint
	case "slo":
		return "is no metric that each request has", cmp.Or(longName(key), suggest(key, requestTags()), "such as time_to_first_token; docs/metrics.md lists them")
	case "budget":
		return explainBudget(key)
	case "figure":
		return explainBudget(n.Value)
	case "threshold":
		return "is no threshold of the verdict", cmp.Or(suggest(key, thresholds()), "there are "+wrapList(thresholds()))
	}
	return "breaks the rule " + rule, ""
}

// serviceFault says what is wrong with the URL of a service; empty for nothing.
func serviceFault(raw string) (message, hint string) {
	if raw == mockURL {
		return "", ""
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return "is not a URL", "write the service's base, such as http://localhost:8000"
	case strings.HasPrefix(raw, mockURL):
		return "takes nothing behind mock://", "describe the simulated endpoint below mock:"
	case u.Scheme != "http" && u.Scheme != "https" || u.Opaque != "":
		return "must begin with http://, https:// or mock://", schemeHint(raw)
	case u.Hostname() == "":
		return "names no host", "write the service's base, such as http://localhost:8000"
	case !isPort(u.Port()):
		return "has a port that does not exist: " + u.Port(), "ports go from 1 to 65535"
	case u.User != nil:
		return "must not hold a user or password", "use api_key_env_var, or headers with ${NAME}"
	case u.RawQuery != "" || u.Fragment != "" || strings.HasSuffix(raw, "?") || strings.HasSuffix(raw, "#"):
		return "must not hold a query or fragment", "put the query behind the path in endpoint"
	}
	return "", ""
}

// isPort reports whether text is a port's number, or none is written.
func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return text == "" || err == nil && n > 0
}

func schemeHint(raw string) string {
	if strings.TrimRight(raw, ":/") == "mock" {
		return "write mock://"
	}
	if strings.Contains(raw, "://") || strings.ContainsAny(raw, " \t") {
		return ""
	}
	return "write http://" + raw
}

// isFileName reports whether a name can be that of a directory on every usual
// system, and shows in a listing.
func isFileName(name string) bool {
	if name == "" || len(name) > 100 || name[0] == '.' || name[0] == '-' || strings.ContainsAny(name, `/\:*?"<>|`) {
		return false
	}
	if last := name[len(name)-1]; last == '.' || last == ' ' {
		return false
	}
	return isHeaderValue(name) && strings.TrimSpace(name) == name
}

// isHeaderValue reports whether text is one line without control characters
// in which every ${ begins a reference.
func isHeaderValue(value string) bool {
	_, err := namesIn(value)
	return err == nil && isLine(value)
}

// isLine reports whether text is one line without control characters.
func isLine(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// statistics may stand behind the tag of a metric that has a distribution.
var statistics = []string{"avg", "min", "max", "std", "p1", "p5", "p10", "p25", "p50", "p75", "p90", "p95", "p99"}

func isBudget(budget string) bool {
	tag, statistic, given := strings.Cut(budget, ".")
	d, known := metrics.Lookup(tag)
	return known && (!given || d.Kind != metrics.Scalar && slices.Contains(statistics, statistic))
}

func explainBudget(budget string) (message, hint string) {
	tag, _, _ := strings.Cut(budget, ".")
	switch d, known := metrics.Lookup(tag); {
	case !known:
		every := tagsOf(func(metrics.Definition) bool { return true })
		return "is no metric", cmp.Or(longName(budget), suggest(tag, every), "such as request_latency.p99; docs/metrics.md lists them")
	case d.Kind == metrics.Scalar:
		return tag + " has one value for a run", "write it without a statistic"
	}
	return "is no statistic of " + tag, "there are " + strings.Join(statistics, ", ")
}

// longName is the hint for a metric under its short name, which a search and the
// command line take and artifacts do not hold; empty for any other.
func longName(figure string) string {
	tag, statistic, given := strings.Cut(figure, ".")
	long, short := metrics.ShortNames()[strings.ToLower(tag)]
	if !short {
		return ""
	}
	if given {
		long += "." + statistic
	}
	return "write " + long
}

func requestTags() []string {
	return tagsOf(func(d metrics.Definition) bool { return d.Kind == metrics.PerRequest && d.ID != metrics.ErrorISL })
}

func tagsOf(wanted func(metrics.Definition) bool) []string {
	var tags []string
	for _, d := range metrics.Definitions() {
		if wanted(d) {
			tags = append(tags, d.Tag)
		}
	}
	return tags
}

func thresholds() []string {
	var names []string
	for _, t := range metrics.Thresholds() {
		names = append(names, t.Name)
	}
	return names
}
