//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package results

import "os"

// lockDir opens a directory. This system has no lock that goes with its process.
func lockDir(dir string) (*os.File, error) { return os.Open(dir) }
