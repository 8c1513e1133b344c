// Package synth makes the requests of a run: prompts whose length in tokens is
// exact, prefixes that are shared only where that was asked for, conversations
// and the contents of dataset files.
//
// A [Spec] says what is wanted, [New] checks it and opens a [Source], and the
// source yields sessions. All chance comes from the spec's seed, one stream per
// session and purpose, so that the i-th session is the same on every machine
// and whichever goroutine asks for it. When a session is sent is for load to
// say, and the bytes of its body are for client.
package synth
