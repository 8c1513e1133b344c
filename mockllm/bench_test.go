package mockllm_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"loadgen/mockllm"
)

// serveEnv holds the configuration of an endpoint to be in place of running
// tests.
const serveEnv = "MOCKLLM_TEST_SERVE"

func TestMain(m *testing.M) {
	if text := os.Getenv(serveEnv); text != "" {
		serveChild(text)
		return
	}
	goleak.VerifyTestMain(m)
}

// serveChild is an endpoint in a process of its own: it says its address and
// ends with its standard input.
func serveChild(text string) {
	var cfg mockllm.Config
	check := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	check(json.Unmarshal([]byte(text), &cfg))
	srv, err := mockllm.New(cfg)
	check(err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fmt.Println(l.Addr())
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	check(srv.Serve(ctx, l))
}

// inChild serves an endpoint in a process of its own and returns its address,
// its process, and a function that ends it and returns the CPU time it took.
func inChild(b *testing.B, cfg mockllm.Config) (addr string, pid int, end func() time.Duration) {
	b.Helper()
	text, err := json.Marshal(cfg)
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), serveEnv+"="+string(text))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	addr, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(addr), cmd.Process.Pid, func() time.Duration {
		in.Close()
		cmd.Wait()
		return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
}

// requestBytes is a request for n tokens with a prompt of 512.
func requestBytes(n int, stream bool) []byte {
	body := fmt.Sprintf(`{"model":"m","messages":[{"role":"user","content":%q}],"stream":%v,"max_tokens":%d}`, strings.Repeat("a b ", 512), stream, n)
	return fmt.Appendf(nil, "POST /v1/chat/completions HTTP/1.1\r\nHost: m\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// BenchmarkRequest is the server's CPU time for a reply, over 16 connections.
func BenchmarkRequest(b *testing.B) {
	for _, stream := range []bool{false, true} {
		b.Run(fmt.Sprintf("stream=%v", stream), func(b *testing.B) {
			addr, _, end := inChild(b, fixed(0, 0))
			request := requestBytes(1, stream)
			last := []byte("\r\n0\r\n\r\n")
			if !stream {
				last = []byte("}")
			}
			b.ResetTimer()
			var all sync.WaitGroup
			for i := range 16 {
				all.Go(func() {
					c, err := net.Dial("tcp", addr)
					if err != nil {
						b.Error(err)
						return
					}
					defer c.Close()
					buf := make([]byte, 64<<10)
					for k := i; k < b.N; k += 16 {
						c.Write(request)
						for n := 0; !bytes.HasSuffix(buf[:n], last); {
							m, err := c.Read(buf[n:])
							if err != nil {
								b.Error(err)
								return
							}
							n += m
						}
					}
				})
			}
			all.Wait()
			b.StopTimer()
			b.ReportMetric(float64(end().Microseconds())/float64(b.N), "cpu-µs/request")
		})
	}
}

// BenchmarkPaced is the server's CPU time for a chunk of 1,000 streams of 20
// tokens a second, and by how much the server wrote them late.
func BenchmarkPaced(b *testing.B) {
	const streams = 1000
	for _, precise := range []bool{false, true} {
		b.Run(fmt.Sprintf("precise=%v", precise), func(b *testing.B) {
			tokens := max(b.N/streams, 20)
			cfg := fixed(50*ms, 50*ms)
			cfg.Precise = precise
			addr, _, end := inChild(b, cfg)
			request := requestBytes(tokens, true)
			b.ResetTimer()
			start := time.Now()
			var all sync.WaitGroup
			for i := range streams {
				all.Go(func() {
					time.Sleep(time.Duration(i) * 50 * ms / streams)
					c, err := net.Dial("tcp", addr)
					if err != nil {
						b.Error(err)
						return
					}
					defer c.Close()
					c.Write(request)
					buf := make([]byte, 4<<10)
					for {
						n, err := c.Read(buf)
						if err != nil {
							b.Error(err)
							return
						}
						if bytes.HasSuffix(buf[:n], []byte("\r\n0\r\n\r\n")) {
							return
						}
					}
				})
			}
			all.Wait()
			b.StopTimer()
			wall := time.Since(start)
			st := childStats(b, addr)
			cpu := end()
			b.ReportMetric(float64(cpu.Microseconds())/float64(streams*tokens), "cpu-µs/chunk")
			b.ReportMetric(cpu.Seconds()/wall.Seconds(), "cpus")
			b.ReportMetric(st.LateMean/1e3, "late-mean-µs")
			b.ReportMetric(float64(st.LateMax)/1e3, "late-max-µs")
		})
	}
}

func childStats(b *testing.B, addr string) (st mockllm.Stats) {
	b.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "GET /mock/stats HTTP/1.0\r\n\r\n")
	reply, _ := io.ReadAll(c)
	_, body, _ := bytes.Cut(reply, []byte("\r\n\r\n"))
	if err := json.Unmarshal(body, &st); err != nil {
		b.Fatal(err)
	}
	return st
}

// BenchmarkIdle is the server's memory for an open stream that waits for its
// first token.
func BenchmarkIdle(b *testing.B) {
	const streams = 4000
	for b.Loop() {
		addr, pid, end := inChild(b, fixed(time.Hour, 0))
		before := childRSS(b, pid)
		request := requestBytes(9, true)
		conns := make([]net.Conn, 0, streams)
		for range streams {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				b.Fatal(err)
			}
			c.Write(request)
			io.ReadFull(c, make([]byte, 100))
			conns = append(conns, c)
		}
		b.ReportMetric(float64(childRSS(b, pid)-before)/streams/1024, "KiB/stream")
		for _, c := range conns {
			c.Close()
		}
		end()
	}
}

// childRSS returns the bytes of a process in memory, 0 where the system has no
// /proc.
func childRSS(b *testing.B, pid int) int {
	b.Helper()
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	var size, resident int
	fmt.Sscan(string(text), &size, &resident)
	return resident * os.Getpagesize()
}
