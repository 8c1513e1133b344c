//go:build !linux

package load

// What the system does not tell in a common way stays unknown.

func readProcess() processTimes { return processTimes{} }

func readMachine() machineTimes { return machineTimes{} }

func residentBytes() uint64 { return 0 }

func readLimits() []limit { return nil }
