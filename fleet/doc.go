// Package fleet runs one batch on many machines. A coordinator has the plan, and
// takes in what comes home; workers each make a portion of every run, which
// follows from numbers alone, so that no message stands between a request and its
// due time. Between them stands NATS, by default a server inside the coordinator.
//
// Every worker writes its finished records to a file of its own first, the spool,
// and sends from there. A place in the spool is a place in the stream: the
// coordinator says how far it has read, and what was lost on the way is sent
// again from there.
package fleet
