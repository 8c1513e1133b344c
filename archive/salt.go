package archive

import (
	"crypto/rand"
	"encoding/hex"
	"io"
)

// NewSalt returns what sets the prompts of this batch apart from those of all
// others: a server that has seen a night's prompts must not know the next one's.
// It is the only chance in a batch that comes from no seed, and is written down.
func NewSalt() string {
	var b [8]byte
	_, _ = io.ReadFull(rand.Reader, b[:]) // which never fails
	return hex.EncodeToString(b[:])
}
