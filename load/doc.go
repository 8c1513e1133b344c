// Package load starts each request when it is due and keeps the books of when
// that was: schedules, users, the ceiling of requests in flight, the end of a
// phase, the grace period and cancellation.
//
// There is one driver for every mode. It leaves making requests to synth,
// performing them to client and folding the records to metrics; what it adds
// to a record are its due, sent and ended times, which nobody else can know.
// The time between due and sent is the generator's own fault or that of a
// ceiling, and it is kept on every record, never hidden.
package load
