//go:build !unix

package load

// NoticeStops does nothing where processes are not stopped by signals.
func NoticeStops() (end func()) { return func() {} }
