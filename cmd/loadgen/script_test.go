package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the test binary be the program itself in scripts, and the
// simulated endpoint that the program starts. Scripts wait for runs more than they
// work: four of them at once take no longer than one.
func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", strconv.Itoa(max(4, runtime.GOMAXPROCS(0)))) // a flag of the command line comes later
	testscript.Main(m, map[string]func(){"loadgen": main, "silent": silent})
}

// silent is a server that takes connections and never says a word. It writes its
// address into the file address, and into asked that somebody has come.
func silent() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		err = os.WriteFile("address", []byte(l.Addr().String()), 0o600)
	}
	if err == nil {
		_, err = l.Accept()
	}
	if err == nil {
		err = os.WriteFile("asked", []byte("yes"), 0o600)
	}
	if err != nil {
		panic(err)
	}
	time.Sleep(time.Minute)
}

// TestScripts runs every command as a user does; see testdata/script.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("HF_HUB_OFFLINE", "1")
			// A program with the race detector rests for a second before it exits, for
			// threads that it did not wait for. loadgen waits for all that it starts.
			env.Setenv("GORACE", "atexit_sleep_ms=10")
			// A tokenizer that counts as the simulated endpoint does.
			words, err := os.ReadFile("testdata/words.json")
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(env.WorkDir, "words.json"), words, 0o600); err != nil {
				return err
			}
			nightly, err := os.ReadFile("../../docs/nightly.md")
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(env.WorkDir, "nightly.md"), nightly, 0o600); err != nil {
				return err
			}
			return writeMinimal(filepath.Join(env.WorkDir, "minimal.yaml"))
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"json":    checkJSON,
			"records": checkRecords,
			"digest":  checkDigest,
			"await":   awaitText,
		},
	})
}

// writeMinimal writes the batch file of the README.
func writeMinimal(path string) error {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		return err
	}
	_, behind, _ := strings.Cut(string(readme), "```yaml\n")
	text, _, _ := strings.Cut(behind, "```")
	return os.WriteFile(path, []byte(text), 0o600)
}

// checkJSON checks a value in a JSON file: json FILE path.to.key VALUE. With !
// the value must differ.
func checkJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: json FILE path.to.key VALUE")
	}
	var v any
	if err := json.Unmarshal([]byte(ts.ReadFile(args[0])), &v); err != nil {
		ts.Fatalf("%s: %v", args[0], err)
	}
	if got := fmt.Sprint(at(v, args[1])); (got == args[2]) == neg {
		ts.Fatalf("%s: %s is %s, want %s", args[0], args[1], got, args[2])
	}
}

// at returns what a path of keys and indices leads to, nil where it leads
// nowhere.
func at(v any, path string) any {
	for key := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

// column returns a value of each record of a file, in the order of sessions
// and turns. Numbers are as they stand there.
func column(ts *testscript.TestScript, file, path string) []string {
	type row struct{ key, value string }
	var rows []row
	for line := range strings.Lines(ts.ReadFile(file)) {
		dec := json.NewDecoder(strings.NewReader(line))
		dec.UseNumber()
		var v any
		if err := dec.Decode(&v); err != nil {
			ts.Fatalf("%s: %v", file, err)
		}
		key := fmt.Sprintf("%v %9v", at(v, "metadata.conversation_id"), at(v, "metadata.turn_index"))
		rows = append(rows, row{key, fmt.Sprint(at(v, path))})
	}
	slices.SortFunc(rows, func(a, b row) int { return strings.Compare(a.key, b.key) })
	values := make([]string, len(rows))
	for i := range rows {
		values[i] = rows[i].value
	}
	return values
}

// checkRecords checks a value of every record: records FILE path.to.key VALUE…
func checkRecords(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: records FILE path.to.key VALUE...")
	}
	if got := column(ts, args[0], args[1]); slices.Equal(got, args[2:]) == neg {
		ts.Fatalf("%s: %s is %s, want %s", args[0], args[1], got, args[2:])
	}
}

// checkDigest checks the SHA-256 of a file, or of a value of all its records:
// digest SUM FILE [path.to.key].
func checkDigest(ts *testscript.TestScript, neg bool, args []string) {
	text := ""
	switch len(args) {
	case 2:
		text = ts.ReadFile(args[1])
	case 3:
		text = strings.Join(column(ts, args[1], args[2]), "\n")
	default:
		ts.Fatalf("usage: digest SUM FILE [path.to.key]")
	}
	if got := fmt.Sprintf("%x", sha256.Sum256([]byte(text))); (got == args[0]) == neg {
		ts.Fatalf("the digest of %s is %s, want %s", args[1:], got, args[0])
	}
}

// awaitText waits until a file holds a text: await FILE TEXT.
func awaitText(ts *testscript.TestScript, _ bool, args []string) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		if text, err := os.ReadFile(ts.MkAbs(args[0])); err == nil && strings.Contains(string(text), args[1]) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	ts.Fatalf("%s does not hold %q after 20 s", args[0], args[1])
}
