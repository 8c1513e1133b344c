package main

import (
	"io"
	"log/slog"
	"time"

	"github.com/lmittmann/tint"
)

// newLogger returns a logger of lines such as
//
//	2025-12-01 10:35:17 INFO: Run completed successfully
//
// without what a terminal would act upon: errors and names come from outside.
func newLogger(w io.Writer, verbose bool) *slog.Logger {
	level := slog.LevelInfo
	if verbose {
		level = slog.LevelDebug
	}
	return slog.New(tint.NewTextHandler(plainLines{w}, &tint.Options{
		Level:      level,
		TimeFormat: time.DateTime,
		NoColor:    true,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if a.Key != slog.LevelKey || len(groups) > 0 {
				return a
			}
			if level, ok := a.Value.Any().(slog.Level); ok {
				name := level.String()
				if level == slog.LevelWarn {
					name = "WARNING"
				}
				return slog.String(slog.LevelKey, name+":")
			}
			return a
		},
	}))
}
