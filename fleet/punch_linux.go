package fleet

import (
	"os"
	"syscall"
)

const keepSize, punchHole = 1, 2 // of fallocate(2)

// punch gives the room of a part of a file back, which reads as zeros from then on.
// Where the file system cannot do that the part stays.
func punch(f *os.File, from, n int64) {
	_ = syscall.Fallocate(int(f.Fd()), keepSize|punchHole, from, n)
}
