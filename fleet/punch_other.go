//go:build !linux

package fleet

import "os"

// punch leaves the part where it is.
func punch(*os.File, int64, int64) {}
