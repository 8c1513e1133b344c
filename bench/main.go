package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

// A bench is what all measurements share.
type bench struct {
	ctx       context.Context
	dir       string // for what the clients write, removed at the end
	loadgen   string // the built binary
	tokenizer string // what guidellm counts with
	repeats   int
	parts     string        // letters of the parts of the comparison
	clients   string        // what their names begin with, separated by commas; empty for all
	length    time.Duration // of a measurement of requests per second
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("bench peers|bars|verdict", flag.ContinueOnError)
	b := &bench{ctx: ctx}
	report := flags.String("report", "docs/performance.md", "file whose tables are replaced")
	flags.StringVar(&b.loadgen, "loadgen", "", "binary to measure; built from this tree when empty")
	flags.StringVar(&b.tokenizer, "tokenizer", "", "directory of a Hugging Face tokenizer for guidellm, which is left out without one")
	flags.IntVar(&b.repeats, "repeats", 5, "of each measurement")
	flags.StringVar(&b.parts, "parts", "abc", "of the comparison to run")
	flags.StringVar(&b.clients, "clients", "", "to compare, by the beginnings of their names with commas between them; all that are installed when empty")
	flags.DurationVar(&b.length, "length", 5*time.Second, "of a measurement of requests per second")
	if len(args) == 0 {
		flags.Usage()
		return errors.New("say what to measure: peers, bars or verdict")
	}
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	var err error
	if b.dir, err = os.MkdirTemp("", "loadgen-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if b.loadgen == "" {
		b.loadgen = filepath.Join(b.dir, "loadgen")
		if out, err := exec.CommandContext(ctx, "go", "build", "-o", b.loadgen, "./cmd/loadgen").CombinedOutput(); err != nil {
			return fmt.Errorf("building loadgen: %w\n%s", err, out)
		}
	}
	before := machine()
	var text string
	switch args[0] {
	case "peers":
		text, err = b.peers()
	case "bars":
		text, err = b.bars()
	case "verdict":
		text, err = b.verdict()
	default:
		return fmt.Errorf("%q: want peers, bars or verdict", args[0])
	}
	if err != nil {
		return err
	}
	text = before + text
	fmt.Println(text)
	return replaceSection(*report, args[0], text)
}
