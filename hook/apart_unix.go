//go:build unix

package hook

import (
	"os/exec"
	"syscall"
)

// apart gives a command a group of its own, so that signals of the terminal do not
// reach it, and all that it started ends with it.
func apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
