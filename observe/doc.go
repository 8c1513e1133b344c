// Package observe watches the other side of a run: it takes the metrics that the
// server, and exporters of its GPUs, offer as Prometheus text, and keeps them as
// series on the run's own time line, in bounded memory.
//
// Whoever runs the load starts an Observer before it and stops it behind it; what
// comes back is a Recording, which is pure: its windows, and what it says in the
// common nouns of inference engines, are functions of it. A scrape that fails is a
// gap that is told, and never an end.
//
// Its neighbours on this floor are load, which watches the generator itself, and
// client, which makes the requests. Files are written by results, and what the
// figures mean is found by metrics and analyze.
package observe
