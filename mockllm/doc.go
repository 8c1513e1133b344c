// Package mockllm is a simulated OpenAI-compatible endpoint whose every token
// has a known due time, so that a client's measurement can be compared with
// the truth. It imports nothing of this house and shares no wire types with
// the client: the one checks the other.
//
// A [Server] made by [New] from a [Config] serves any net.Listener: a socket,
// or one in memory inside a testing/synctest bubble, where every time is exact.
// The formulas of its timing, its rule for counting tokens and its faults are
// stated in docs/mock.md.
//
// Three parts: the model (batching, fixed) is a pure state machine over time
// as data; the engine drives it on the clock and wakes the answers whose tokens
// are made; the server carries them, over an own HTTP/1.1 loop, cheaper than
// the client it is to test, or over net/http for HTTP/2.
package mockllm
