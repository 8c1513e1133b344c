//go:build !linux

package mockllm

import "time"

const canSleepPrecisely = false

func sharpenTimers() {}

func sleepPrecisely(d time.Duration) { time.Sleep(d) }
