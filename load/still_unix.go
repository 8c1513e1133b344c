//go:build unix

package load

import (
	"os"
	"os/signal"
	"syscall"
)

// NoticeStops has a Watch know when the process was stopped and told to go on, by
// SIGCONT, until the returned function is called.
func NoticeStops() (end func()) {
	signals, done := make(chan os.Signal, 16), make(chan struct{})
	signal.Notify(signals, syscall.SIGCONT)
	go func() {
		defer close(done)
		for range signals {
			resumed.Add(1)
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
		<-done
	}
}
