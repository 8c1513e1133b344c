package archive

import (
	"os"
	"runtime"
)

// DescribeHost says what machine the figures are from.
func DescribeHost() map[string]any {
	name, _ := os.Hostname()
	host := map[string]any{
		"hostname": name, "os": runtime.GOOS, "arch": runtime.GOARCH, "cpus": runtime.NumCPU(), "go": runtime.Version(),
	}
	if set := os.Getenv("GOMAXPROCS"); set != "" {
		host["GOMAXPROCS"] = set
	}
	return host
}
