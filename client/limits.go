package client

import (
	"fmt"
	"math"
)

// spareFiles are the open files that a run needs beside its connections:
// results, logs, the runtime's own.
const spareFiles = 64

// resources are what the system grants this process.
type resources struct {
	files int // open files; math.MaxInt where unlimited or unknown
	ports int // ephemeral ports to one address; math.MaxInt where unknown
}

// Preflight refuses a concurrency whose connections this machine cannot hold
// open, after raising the soft limit of open files as far as it goes. 0, for
// no ceiling, is let pass.
func Preflight(concurrency int) error {
	raiseFileLimit()
	return resources{openFiles(), ephemeralPorts()}.carry(concurrency)
}

// sockets returns how many connections there are descriptors for, 0 for any
// number.
func (t *target) sockets() int64 {
	files := openFiles()
	if t.Dial != nil || files == math.MaxInt {
		return 0
	}
	return int64(max(files-spareFiles, 1))
}

func (r resources) carry(concurrency int) error {
	switch {
	case r.files != math.MaxInt && concurrency > r.files-spareFiles:
		advice := fmt.Sprintf("raise it (ulimit -n %d)", concurrency+spareFiles)
		if left := r.files - spareFiles; left > 0 {
			advice += fmt.Sprintf(" or lower concurrency to %d", left)
		}
		return fmt.Errorf("concurrency %d needs %d open files but the limit is %d: %s", concurrency, concurrency+spareFiles, r.files, advice)
	case concurrency > r.ports:
		return fmt.Errorf("concurrency %d needs as many local ports but the system has %d for one server address: widen net.ipv4.ip_local_port_range or lower concurrency",
			concurrency, r.ports)
	}
	return nil
}
