// Command bench measures loadgen from outside, as a built binary with
// everything on, beside the load generators that its users know, and holds it
// against what docs/performance.md promises.
//
//	go run ./bench peers    loadgen, wrk, hey, oha, AIPerf and guidellm on one endpoint, interleaved
//	go run ./bench bars     start, pacing, memory and endurance
//	go run ./bench verdict  the verdict on clients that are well and clients that starve
//
// All write their tables into docs/performance.md. It runs on Linux, needs
// nginx for an endpoint that is cheaper than any client, and names and leaves
// out the clients that are not installed.
package main
