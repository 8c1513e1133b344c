package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"loadgen/page"
	"loadgen/results"
)

type reportCommand struct {
	Paths  []string `arg:"" name:"dir" help:"Directories of batches or runs, of loadgen or AIPerf; several stand side by side on one page."`
	Output string   `short:"o" placeholder:"FILE" help:"Where to write the page. Default: report.html in DIR; of several, in the working directory."`
	Open   bool     `help:"Show it in the browser."`
}

func (c *reportCommand) Run(_ context.Context, std streams) error {
	text, err := page.HTML(c.Paths)
	if errors.Is(err, page.ErrNothing) {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	out := c.Output
	switch {
	case out == "" && len(c.Paths) == 1:
		out = filepath.Join(c.Paths[0], page.Name)
	case out == "":
		out = page.Name
	}
	if err := results.DeriveFile(out, text); err != nil {
		return err
	}
	fmt.Fprintln(std.out, out)
	if c.Open {
		return show(out)
	}
	return nil
}

// writePage makes the page of a batch that is over, and says where it is. That
// there is none is a warning: the figures are complete without it.
func writePage(dir string, log *slog.Logger) string {
	switch err := page.Write(dir); {
	case errors.Is(err, page.ErrNothing): // no run was begun
		return ""
	case err != nil:
		log.Warn("The page of the batch was not made: " + err.Error())
		return ""
	}
	return "Page: " + filepath.Join(dir, page.Name) + "\n"
}

// newPage is writePage for a batch that has just come to its end: what it was
// compared with before it went on is no longer true.
func newPage(dir string, log *slog.Logger) string {
	if err := os.Remove(filepath.Join(dir, page.ComparisonName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		log.Warn("The comparison of before is still there: " + err.Error())
	}
	return writePage(dir, log)
}

// show hands a file to whatever the desktop shows such files with.
func show(path string) error {
	opener := map[string]string{"darwin": "open", "windows": "explorer"}[runtime.GOOS]
	if opener == "" {
		opener = "xdg-open"
	}
	if err := exec.Command(opener, path).Run(); err != nil {
		return fmt.Errorf("showing %s: %w; open it in a browser", path, err)
	}
	return nil
}
