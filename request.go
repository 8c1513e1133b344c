package loadgen

import "time"

// A Message is one entry of a chat conversation.
type Message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// A Request is one prompt to send, complete before the clock starts.
//
// The one exception is a later turn of a conversation whose history carries
// the server's own answers: its Body is finished during the think time before
// it, never while a latency is being measured.
type Request struct {
	// ID is a UUID, unique in the batch, and travels as X-Request-ID: there
	// are servers that refuse any other form.
	ID string
	// Session is the ID of the Session it belongs to.
	Session string
	// Correlation is the session's UUID and travels as X-Correlation-ID.
	Correlation string
	// Turn is the position in the session, from 0.
	Turn int
	// Delay is the think time between the end of the previous turn and the
	// moment this one is due. Zero for the first turn.
	Delay time.Duration
	// Messages is what the prompt consists of; completions endpoints send the
	// contents joined by newlines.
	Messages []Message
	// Body is the finished HTTP request body.
	Body []byte
	// InputTokens is the length of the prompt's text in tokens of the chosen
	// tokenizer, without what a chat template adds.
	InputTokens int
	// SharedTokens is with how many of these, at most, it begins like another
	// request that this run may have sent before: what a server may have cached.
	// Later turns of a session begin like the turn before them.
	SharedTokens int
	// TemplateTokens is what the chat template adds, 0 where unknown.
	TemplateTokens int
	// MaxTokens is the output length asked for; 0 asks for none.
	MaxTokens int
}

// A Session is the turns of one conversation, in order. A single-turn request
// is a session of one.
type Session struct {
	// ID is unique in the batch: session_000042.
	ID string
	// Index is the position in the run's dataset, from 0.
	Index int
	// Turns are sent one after another; a failed turn ends the session.
	Turns []*Request
}
