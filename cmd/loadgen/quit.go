package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"
)

// quitStatus is that of a process which SIGQUIT ended, as a shell tells it. Left
// to itself, Go's runtime would exit with 2, which means wrong usage here.
const quitStatus = 128 + int(syscall.SIGQUIT)

// onQuit has SIGQUIT print what every goroutine does, and end the process at
// once.
func onQuit(exit func(status int)) {
	quit := make(chan os.Signal, 1)
	signal.Notify(quit, syscall.SIGQUIT)
	go func() {
		<-quit
		_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 2)
		fmt.Fprintln(os.Stderr, "loadgen: quit by a signal; what was written until now is kept")
		exit(quitStatus)
	}()
}
