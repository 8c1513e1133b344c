// Package docs holds the pages of the documentation that the program itself
// shows: what explain says of a key and the schema says in an editor is what
// they say.
package docs

import _ "embed"

// The pages with the keys of the batch file.
var (
	//go:embed batch-file.md
	BatchFile string
	//go:embed capacity.md
	Capacity string
	//go:embed mock.md
	Mock string
)
