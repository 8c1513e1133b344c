// Package sweep reads a batch file and runs the cells it stands for: it
// validates what was written, expands the sweeps into cells, resolves each
// cell's way of loading the endpoint, and carries the cells out one after
// another.
//
// A batch file goes through four stages, each a step over the YAML's own
// nodes, so that every fault can point at the place where it was written:
// the text is read ([Load]), aliases are expanded and overrides applied, the
// nodes are bound to [Config] values, and rules are checked, on the base and on
// every cell. All faults of a file are reported together as [Faults].
//
// Making prompts is synth's work, sending them load's and client's; nothing
// here formats for people beyond the text of an error.
package sweep
