package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"loadgen/page"
)

type plotCommand struct {
	Path   string `arg:"" name:"dir" help:"The directory of a batch or a run, of loadgen or AIPerf."`
	Output string `short:"o" type:"path" placeholder:"DIR" help:"Where to write the pictures. Default: plots in DIR."`
	Runs   bool   `help:"Those of every run of a batch, too."`
}

func (c *plotCommand) Run(_ context.Context, std streams) error {
	into := c.Output
	if into == "" {
		into = filepath.Join(c.Path, "plots")
	}
	n, err := page.Plots(c.Path, into, c.Runs)
	if errors.Is(err, page.ErrNothing) {
		return usageError{err}
	}
	if n == 0 && err == nil {
		err = errors.New("nothing was measured that could be drawn")
	}
	if n > 0 {
		fmt.Fprintf(std.out, "%d pictures: %s\n", n, into)
	}
	return err
}
