//go:build !linux

package load

import "time"

// What the system does not tell in a common way stays unknown.

func readProcess() processTimes { return processTimes{} }

func asleepTime() time.Duration { return 0 }

func readMachine() machineTimes { return machineTimes{} }

func residentBytes() uint64 { return 0 }

func readLimits() []limit { return nil }
