// Package client performs one request against an OpenAI-compatible endpoint
// and says when each piece of the answer arrived.
//
// It is handed a finished request body and an empty record by load, and gives
// the record back complete: arrivals, text, usage, connection times, or the
// failure. When requests are sent is load's business, what the arrivals mean
// is metrics'. What counts as an arrival is said in docs/client.md.
//
// Two engines carry the bytes: "raw" speaks HTTP/1.1 itself and costs a
// fraction of net/http, "std" is net/http and also speaks HTTP/2 and to
// proxies. Behind them one reader of event streams and one parser of events
// serve both, so that a record never depends on the engine.
package client
