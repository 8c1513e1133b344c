// Package floors_test keeps the house in shape: which package may import
// which, where time may be read, and which libraries have a home. The picture
// and the reasons stand in docs/architecture.md.
package floors_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const root = "../.."

// may lists every package of the house with the packages of the house that it
// imports. A package that is not listed stands on no floor.
var may = map[string][]string{
	"":                    {},
	"tokenizer":           {},
	"mockllm":             {},
	"stats":               {},
	"docs":                {},
	"internal/memnet":     {},
	"internal/jsonstream": {},
	"internal/outside":    {},
	"internal/secret":     {},
	"load":                {""},
	"client":              {"", "internal/outside", "internal/secret"},
	"observe":             {"", "internal/outside", "internal/secret"},
	"hook":                {},
	"synth":               {""},
	"metrics":             {"", "stats"},
	"results":             {"", "metrics", "observe", "stats", "internal/jsonstream", "internal/outside", "internal/secret"},
	"trace":               {"", "internal/jsonstream", "internal/outside"},
	"analyze":             {"", "metrics"},
	"sweep":               {"", "synth", "metrics", "mockllm", "internal/outside", "internal/secret", "stats", "observe"},
	"guide":               {"sweep", "docs", "internal/secret"},
	"runner":              {"", "sweep", "synth", "load", "client", "metrics", "tokenizer", "observe", "hook", "internal/outside"},
	"sink":                {"", "sweep", "results", "metrics", "internal/outside"},
	"compare":             {"", "analyze", "metrics", "stats"},
	"report":              {"", "compare", "analyze", "metrics", "internal/outside", "stats"},
	"archive":             {"", "fleet", "report", "compare", "runner", "trace", "analyze", "results", "sweep", "metrics", "internal/secret", "stats"},
	"page":                {"", "report", "trace", "analyze", "results", "observe", "metrics", "stats", "internal/outside"},
	"live":                {"report", "sink", "runner", "results", "sweep", "metrics"},
	"calibrate":           {"", "runner", "sweep", "load", "metrics", "mockllm"},
	"bench":               {"metrics", "mockllm"},
	"fleet":               {"", "runner", "sweep", "synth", "load", "metrics", "internal/outside", "internal/secret"},
	"cmd/loadgen":         {"", "guide", "fleet", "sink", "archive", "page", "calibrate", "live", "report", "compare", "analyze", "results", "trace", "runner", "sweep", "load", "metrics", "mockllm", "internal/outside", "internal/secret", "stats"},
}

// homes says where a library, or a part of the standard library, may be
// imported.
var homes = map[string][]string{
	"go.yaml.in/yaml/v4":                      {"sweep", "guide"},
	"go.yaml.in/yaml/v4/plugin/loaderlimits":  {"sweep", "guide"},
	"github.com/go-playground/validator/v10":  {"sweep"},
	"github.com/HdrHistogram/hdrhistogram-go": {"metrics"},
	"github.com/prometheus/common/expfmt":     {"observe"},
	"github.com/parquet-go/parquet-go":        {"results", "sink"},
	"net/http":                                {"client", "mockllm", "tokenizer", "bench", "observe", "hook", "sink", "live", "cmd/loadgen"},
	"net/http/httptrace":                      {"client"},
	"html/template":                           {"page"},
	"gonum.org/v1/plot":                       {"page"},
	"github.com/klauspost/compress/zstd":      {"client"},
	"github.com/andybalholm/brotli":           {"client"},
	"github.com/alecthomas/kong":              {"cmd/loadgen"},
	"log/slog":                                {"cmd/loadgen", "runner", "archive", "calibrate", "fleet", "live"},
	"math/rand":                               {},
	"regexp":                                  {"sweep", "guide", "bench"},
	"golang.org/x/time/rate":                  {"client", "mockllm", "load"},

	"github.com/nats-io/nats.go":               {"fleet"},
	"github.com/nats-io/nats-server/v2/server": {"fleet"},
}

// clocks are the functions of package time that read or wait for it.
var clocks = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"}

// timed are the packages that may do so; the rest see time as data.
var timed = []string{"load", "fleet", "client", "mockllm", "observe", "hook", "archive", "live", "cmd/loadgen", "bench", "internal/memnet"}

// A source is a file of the product or of its tests.
type source struct {
	dir  string // of its package, "" for the root
	name string
	test bool
	*ast.File
}

// module is the path of the module, by go.mod.
func module(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimPrefix(first, "module ")
}

// generator reports whether the file is a program of its own inside a
// package's folder, run by go generate.
func (s source) generator() bool {
	return s.Name.Name == "main" && s.dir != "bench" && !strings.HasPrefix(s.dir, "cmd/")
}

func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			skip := strings.HasPrefix(name, ".") && name != ".." || name == "testdata" || name == "tools"
			if skip && file != root {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir := path.Dir(filepath.ToSlash(rel))
		if dir == "." {
			dir = ""
		}
		all = append(all, source{dir, filepath.ToSlash(rel), strings.HasSuffix(name, "_test.go"), tree})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestArrowsFall(t *testing.T) {
	drawn := map[string]map[string]bool{}
	for _, src := range sources(t) {
		if src.dir == "internal/floors" || src.test || src.generator() {
			continue
		}
		allowed, known := may[src.dir]
		if !known {
			t.Errorf("%s: package %q stands on no floor", src.name, src.dir)
			continue
		}
		for _, spec := range src.Imports {
			lib, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if ours, ok := strings.CutPrefix(lib, module(t)+"/"); ok || lib == module(t) {
				if lib == module(t) {
					ours = ""
				}
				if !slices.Contains(allowed, ours) {
					t.Errorf("%s imports %s: that arrow does not fall", src.name, lib)
				}
				if drawn[src.dir] == nil {
					drawn[src.dir] = map[string]bool{}
				}
				drawn[src.dir][ours] = true
				continue
			}
			if home, restricted := homes[lib]; restricted && !slices.Contains(home, src.dir) {
				t.Errorf("%s imports %s, whose home is %v", src.name, lib, home)
			}
		}
	}
	for pkg, allowed := range may {
		for _, other := range allowed {
			if !drawn[pkg][other] {
				t.Errorf("%q may import %q and does not: take that arrow away", pkg, other)
			}
		}
	}
}

func TestTimeIsReadInFewPlaces(t *testing.T) {
	for _, src := range sources(t) {
		if src.test || slices.Contains(timed, src.dir) {
			continue
		}
		eachCall(src.File, func(pkg, name string) {
			if pkg == "time" && slices.Contains(clocks, name) {
				t.Errorf("%s uses time.%s: outside %v time is data", src.name, name, timed)
			}
		})
	}
}

func TestChanceIsSeeded(t *testing.T) {
	for _, src := range sources(t) {
		eachCall(src.File, func(pkg, name string) {
			if pkg == "rand" && name != "" && !strings.HasPrefix(name, "New") && ast.IsExported(name) && !isType(name) {
				t.Errorf("%s uses rand.%s: draw from a stream of the batch's seed", src.name, name)
			}
		})
	}
}

func isType(name string) bool {
	return slices.Contains([]string{"Rand", "Source", "PCG", "ChaCha8", "Zipf", "Reader"}, name)
}

func TestOnlyMainExits(t *testing.T) {
	for _, src := range sources(t) {
		if src.test || src.generator() || src.name == "cmd/loadgen/main.go" || src.name == "bench/main.go" {
			continue
		}
		eachCall(src.File, func(pkg, name string) {
			if pkg == "os" && name == "Exit" || pkg == "log" && strings.HasPrefix(name, "Fatal") {
				t.Errorf("%s uses %s.%s: only main exits", src.name, pkg, name)
			}
		})
	}
}

// eachCall visits every selector on a bare package name.
func eachCall(file *ast.File, visit func(pkg, name string)) {
	imported := map[string]bool{}
	for _, spec := range file.Imports {
		lib, _ := strconv.Unquote(spec.Path.Value)
		name := path.Base(lib)
		if name == "v2" {
			name = path.Base(path.Dir(lib))
		}
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imported[name] = true
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := sel.X.(*ast.Ident); ok && imported[id.Name] {
				visit(id.Name, sel.Sel.Name)
			}
		}
		return true
	})
}
