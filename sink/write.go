package sink

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"loadgen/sweep"
)

// Options are what sinks need beside the batch.
type Options struct {
	// Version is loadgen's own.
	Version string
	// LookupEnv finds the keys of sinks on the network.
	LookupEnv func(string) (string, bool)
	// Client sends; its timeout bounds each request.
	Client *http.Client
	// Tracking is where mlflow's runs are put that are not told where.
	Tracking string
}

// A Written is what became of one sink.
type Written struct {
	To    string
	Where string // files or address
	Err   error
}

// writers are the sinks by their kinds.
var writers = map[string]func(context.Context, *Batch, *sweep.Export, *Options) (where string, err error){
	"parquet":     parquetFile,
	"markdown":    markdownFile,
	"junit":       junitFile,
	"vllm":        vllmFiles,
	"guidellm":    guidellmFile,
	"llm-d":       llmdFiles,
	"mlflow":      mlflowRuns,
	"otlp":        otlpSend,
	"pushgateway": pushgateway,
}

// String says where a sink's results went.
func (w Written) String() string { return w.To + ": " + w.Where }

// Write hands the batch in a directory to its sinks, one after another. One that
// fails keeps no other from its work: the error joins those of all.
func Write(ctx context.Context, dir string, exports []sweep.Export, o *Options) ([]Written, error) {
	if len(exports) == 0 {
		return nil, nil
	}
	b, err := Open(dir)
	if err != nil {
		return nil, fmt.Errorf("exporting %s: %w", dir, err)
	}
	var all []Written
	var errs []error
	for i := range exports {
		e := &exports[i]
		w := Written{To: e.To}
		if w.Where, w.Err = one(ctx, b, e, o); w.Err != nil {
			errs = append(errs, fmt.Errorf("exporting to %s: %w; the measurement is kept: loadgen export %s --to … does it again", w.To, w.Err, dir))
		}
		all = append(all, w)
	}
	return all, errors.Join(errs...)
}

// one writes to a sink; a defect of it is an error.
func one(ctx context.Context, b *Batch, e *sweep.Export, o *Options) (where string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("a defect of the sink: %v", r)
		}
	}()
	if err := ctx.Err(); err != nil {
		return "", err
	}
	write := writers[e.To]
	if write == nil {
		return "", fmt.Errorf("there is no sink %q", e.To)
	}
	return write(ctx, b, e, o)
}

// file writes a file, which is there as a whole or not at all.
func file(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	w := bufio.NewWriterSize(f, 1<<16)
	if err := write(w); err != nil {
		_ = f.Close()
		return err
	}
	if err := w.Flush(); err != nil {
		_ = f.Close()
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		_ = f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
