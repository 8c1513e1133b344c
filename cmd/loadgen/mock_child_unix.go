//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// detach keeps signals of the terminal from the child.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
