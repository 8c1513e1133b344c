//go:build unix

package fleet

import (
	"os/exec"
	"syscall"
)

// detach keeps signals of the terminal from a child.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
