//go:build unix

// Package chaos_test does to the program what a night may do to it: it kills it,
// interrupts it, takes its endpoint, its disk and its memory away, and asks each
// time whether it ended in bounded time, with the right status, and lost
// nothing. It knows the program from outside: its command line, its files, and
// the endpoint's own account of what was asked of it.
//
// LOADGEN_CHAOS=full runs the long form, see docs/reliability.md.
package chaos_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"loadgen/mockllm"
)

// program is the built loadgen.
var program string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		if flag.Parse(); testing.Short() {
			return 0
		}
		asked := false
		flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "test.parallel" })
		if !asked { // the tests wait for the most part
			if err := flag.Set("test.parallel", strconv.Itoa(4*max(2, runtime.GOMAXPROCS(0)))); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
		}
		dir, err := os.MkdirTemp("", "chaos")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		program = filepath.Join(dir, "loadgen")
		if out, err := exec.Command("go", "build", "-o", program, "../../cmd/loadgen").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "%s%v\n", out, err)
			return 1
		}
		return m.Run()
	}())
}

// lookAtSources looks at every source of the program. What is tested is a
// binary, of which the cache of test results knows nothing; of files that a test
// has looked at it does, and runs the test again when they have changed.
var lookAtSources = sync.OnceValue(func() error {
	return filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git":
			return fs.SkipDir
		case strings.HasSuffix(path, ".go"):
			_, err = os.Stat(path)
		}
		return err
	})
})

// times returns how often to do a thing: in the short form that CI runs, or in
// the long one.
func times(short, full int) int {
	if os.Getenv("LOADGEN_CHAOS") == "full" {
		return full
	}
	return short
}

// An endpoint is a simulated endpoint that keeps account of what it answered.
type endpoint struct {
	*mockllm.Server
	url string
}

// serve starts an endpoint for the length of a test.
func serve(t *testing.T, change func(*mockllm.Config)) *endpoint {
	t.Helper()
	cfg := mockllm.DefaultConfig()
	cfg.Timing, cfg.TTFT, cfg.ITL = mockllm.Fixed, 20*time.Millisecond, time.Millisecond
	cfg.Models, cfg.Stamps = []string{"m"}, true
	if change != nil {
		change(&cfg)
	}
	server, err := mockllm.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		<-served
	})
	return &endpoint{server, "http://" + l.Addr().String()}
}

// A night is a running loadgen.
type night struct {
	*exec.Cmd
	dir    string // it works in
	out    bytes.Buffer
	err    bytes.Buffer
	waited chan struct{}
	memory atomic.Int64 // the most that it took, in bytes; 0 where the system does not say
}

// begin starts the program with some arguments in a directory.
func begin(t *testing.T, dir string, args ...string) *night {
	t.Helper()
	return beginAs(t, dir, exec.Command(program, args...))
}

func beginAs(t *testing.T, dir string, cmd *exec.Cmd) *night {
	t.Helper()
	if err := lookAtSources(); err != nil {
		t.Fatal(err)
	}
	n := &night{Cmd: cmd, dir: dir, waited: make(chan struct{})}
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &n.out, &n.err
	cmd.Env = append(os.Environ(), "HOME="+dir, "HF_HUB_OFFLINE=1")
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(n.waited)
		cmd.Wait()
	}()
	go n.watch()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-n.waited
	})
	return n
}

// watch notes how much memory the program takes. What the system says of a
// process that has ended counts in what its parent held when it began.
func (n *night) watch() {
	for {
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", n.Process.Pid))
		if _, after, ok := strings.Cut(string(status), "VmHWM:"); ok {
			var kb int64
			if _, err := fmt.Sscan(after, &kb); err == nil && strings.Contains(string(status), "Name:\tloadgen") {
				n.memory.Store(max(n.memory.Load(), kb<<10))
			}
		}
		select {
		case <-n.waited:
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// end waits for the program, no longer than a bound, and returns its status.
func (n *night) end(t *testing.T, bound time.Duration) int {
	t.Helper()
	select {
	case <-n.waited:
	case <-time.After(bound):
		n.Process.Signal(syscall.SIGQUIT)
		<-n.waited
		t.Fatalf("it did not end within %v:\n%s", bound, n.err.String())
	}
	return n.ProcessState.ExitCode()
}

// batchFile writes a batch file.
func batchFile(t *testing.T, dir, url, settings string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "batch.yaml"), []byte(batchText(url, settings)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// batchText is a batch file.
func batchText(url, settings string) string {
	text := fmt.Sprintf(`batch_name: night
output_base_dir: out
base_config:
  model: m
  url: %s
  tokenizer: cl100k_base
  streaming: true
%s`, url, settings)
	if !strings.Contains(settings, "input_file") {
		text = strings.Replace(text, "  streaming: true\n", "  streaming: true\n  cache_bust: none\n  prompt_input_tokens_mean: 20\n  prompt_output_tokens_mean: 5\n", 1)
	}
	return text
}

// batchDir returns the one batch's directory; empty where there is none yet.
func batchDir(dir string) string {
	found, _ := filepath.Glob(filepath.Join(dir, "out/night/*"))
	if len(found) != 1 {
		return ""
	}
	return found[0]
}
