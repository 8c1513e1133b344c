// Package sweep decides what is to be run: it reads a batch file, validates
// what was written, expands the sweeps into cells, and resolves each cell's
// way of loading the endpoint.
//
// A batch file goes through four stages, each a step over the YAML's own
// nodes, so that every fault can point at the place where it was written:
// the text is read ([Load]), aliases are expanded and overrides applied, the
// nodes are bound to [Config] values, and rules are checked, on the base and on
// every cell. All faults of a file are reported together as [Faults].
//
// The cells are carried out by runner. Nothing here starts anything, reads a
// clock or formats for people beyond the text of an error.
package sweep
