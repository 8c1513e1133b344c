package report

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// mostNights are named of those that could have been meant.
const mostNights = 10

// LatestOf says that of several nights in a directory, oldest first, the latest
// is taken, and how to ask for another.
func LatestOf(dir string, nights []string) string {
	last := len(nights) - 1
	if last < 1 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s holds %d batches. This is the latest, %s.\n", dir, len(nights), filepath.Base(nights[last]))
	fmt.Fprintln(&b, "For an earlier one give its directory:")
	for i, night := range slices.Backward(nights[:last]) {
		if last-i > mostNights {
			fmt.Fprintf(&b, "  and %d more\n", i+1)
			break
		}
		fmt.Fprintf(&b, "  %s\n", night)
	}
	b.WriteString("\n")
	return b.String()
}
