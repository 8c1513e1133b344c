package runner

import (
	"loadgen"
	"loadgen/metrics"
	"loadgen/sweep"
)

// Measured returns what a template without a file is taken to add to a user's
// message after a warm-up of such prompts, of which a server counted so many
// tokens beyond the text; false where it is not known.
func Measured(beyond ...int) (tokens int, known bool) {
	t := newChatTemplate(&Vocabulary{})
	messages := []loadgen.Message{{Role: "user"}}
	for _, n := range beyond {
		t.observe(&loadgen.Record{
			Request: &loadgen.Request{Messages: messages, InputTokens: 100},
			Usage:   loadgen.Usage{PromptTokens: 100 + n},
		})
	}
	t.settle()
	return t.lookUp(messages)
}

// Connections returns how many connections a cell may hold at once, as far as
// that is known before it runs; 0 where it is not.
func Connections(c *sweep.Cell) int { return connections(&c.Config, c.Pacing) }

// Facts returns what is asked of a cell.
func Facts(c *sweep.Cell) metrics.Facts { return facts(&c.Config, c.Pacing) }

// Salt is what sets the prompts of a run of a cell apart.
func Salt(c *sweep.Config, number int) string { return salt(c, number) }

// NewBreaker returns what says of one request after another, none of which is in
// flight beside others, whether the run is to be given up.
func NewBreaker(c *sweep.Config) func(*loadgen.Record) error {
	b := newBreaker(c)
	return func(rec *loadgen.Record) error { return b.add(rec, 0) }
}
