#!/usr/bin/env python3
"""Hold what a tool measured against what the simulated endpoint did.

    curl -s URL/mock/stamps > STAMPS
    truth.py STAMPS RESULT_DIR

STAMPS are of `loadgen mock --stamps`; RESULT_DIR is AIPerf's or loadgen's.
Requests are joined by their X-Request-ID. Prints one JSON object: for TTFT, ITL
and request latency the median truth, and the median and 99th percentile of
measured − true, in ms; the throughput that was reported and the true one, in
tokens/s.
"""
import json
import sys
from pathlib import Path
from statistics import median


def true_times(stamp):
    """Return TTFT, ITL and latency in ms, from the kernel's receipt to each write."""
    received, chunks = stamp["received_ns"], stamp["chunks_ns"]
    return {
        "time_to_first_token": (chunks[0] - received) / 1e6,
        "inter_token_latency": (chunks[-1] - chunks[0]) / 1e6 / (stamp["completion_tokens"] - 1),
        "request_latency": (chunks[-1] - received) / 1e6,
    }


def percentile(values, p):
    values = sorted(values)
    at = (len(values) - 1) * p / 100
    low = int(at)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (at - low)


def main(stamps, directory):
    directory = Path(directory)
    stamps = {s["request_id"]: s for s in map(json.loads, open(stamps))}
    records = map(json.loads, open(directory / "profile_export.jsonl"))
    measured = {r["metadata"]["x_request_id"]: r["metrics"] for r in records
                if r["metadata"]["benchmark_phase"] == "profiling" and not r.get("error")}
    report = {"requests": len(measured), "without_stamp": sum(i not in stamps for i in measured)}
    for tag in ("time_to_first_token", "inter_token_latency", "request_latency"):
        pairs = [(m[tag]["value"], true_times(stamps[i])[tag]) for i, m in measured.items() if i in stamps]
        errors = [got - true for got, true in pairs]
        report[tag] = {"true_p50": median(true for _, true in pairs),
                       "error_p50": median(errors), "error_p99": percentile(errors, 99)}
    mine = [stamps[i] for i in measured if i in stamps]
    took = max(s["chunks_ns"][-1] for s in mine) - min(s["received_ns"] for s in mine)
    export = json.loads((directory / "profile_export_aiperf.json").read_text())
    report["output_token_throughput"] = {
        "true": sum(s["completion_tokens"] for s in mine) / took * 1e9,
        "reported": export["output_token_throughput"]["avg"]}
    print(json.dumps(report))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
