package fleet

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"
)

// TokenVariable is the environment variable with the token by which workers are
// let in.
const TokenVariable = "LOADGEN_JOIN_TOKEN"

// Local returns what starts workers on this machine: this program again, as
// processes of their own. The token goes through the environment, where no list
// of processes shows it. What they log goes to log. They end when their standard
// input does, and so with this process, however that ends. calibration is the file
// that says what this machine can measure; empty for where that is kept.
func Local(server *Server, calibration string, log io.Writer) func(int, func(string)) (func(), error) {
	return func(index int, lost func(why string)) (func(), error) {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("starting worker %d: %w", index, err)
		}
		cmd := exec.Command(self, "worker", "--join", server.URL, "--index", strconv.Itoa(index), "--leash")
		if calibration != "" {
			cmd.Args = append(cmd.Args, "--calibration", calibration)
		}
		cmd.Env = append(os.Environ(), TokenVariable+"="+server.Token)
		cmd.Stderr = log
		detach(cmd) // ^C at the terminal is for this process, which ends the run in order
		leash, err := cmd.StdinPipe()
		if err != nil {
			return nil, fmt.Errorf("starting worker %d: %w", index, err)
		}
		if err := cmd.Start(); err != nil {
			return nil, fmt.Errorf("starting worker %d: %w", index, err)
		}
		over := make(chan struct{})
		go func() {
			defer close(over)
			why := "its process ended"
			if err := cmd.Wait(); err != nil {
				why = "its process ended: " + err.Error()
			}
			lost(why)
		}()
		return sync.OnceFunc(func() {
			leash.Close()
			timer := time.AfterFunc(time.Second, func() { _ = cmd.Process.Kill() })
			defer timer.Stop()
			<-over
		}), nil
	}
}
