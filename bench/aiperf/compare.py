#!/usr/bin/env python3
"""Lay two result directories side by side, key by key.

    compare.py AIPERF_DIR LOADGEN_DIR

prints what only one of them has and what both have but differently: files,
keys of the JSON export with unit, statistics and average, columns and rows of
the CSV, keys of a request's line, keys of a payload. What is the same is
counted, not printed.
"""
import csv
import json
import sys
from pathlib import Path


def differences(title, a, b):
    """Print how the maps (or lists) a and b differ."""
    if not isinstance(a, dict):
        a, b = dict.fromkeys(a), dict.fromkeys(b)
    left = [k for k in a if k not in b]
    right = [k for k in b if k not in a]
    both = [k for k in a if k in b]
    changed = [k for k in both if a[k] != b[k]]
    print(f"\n{title}: {len(both) - len(changed)} the same")
    for k in left:
        print(f"  < {k}")
    for k in right:
        print(f"  > {k}")
    for k in changed:
        print(f"  ! {k}: {a[k]} | {b[k]}")


def is_metric(v):
    return isinstance(v, dict) and "unit" in v


def shape(metric):
    return metric["unit"], " ".join(k for k in metric if k != "unit")


def rows(path):
    with open(path, newline="") as f:
        lines = [r for r in csv.reader(f) if r]
    heads = {"Metric", "Endpoint"}
    return ([r for r in lines if r[0] in heads], [r[0] for r in lines if r[0] not in heads])


def lines(path):
    """Return the keys of all lines by section: metadata, metrics, error, rest."""
    keys = {}
    with open(path) as f:
        for line in f:
            for section, value in json.loads(line).items():
                inner = value if isinstance(value, dict) else {}
                keys.setdefault(section, {}).update(
                    {k: v["unit"] if is_metric(v) else "" for k, v in inner.items()})
    return keys


def main(a, b):
    a, b = Path(a), Path(b)
    differences("files", *(sorted(p.relative_to(d).as_posix() for p in d.rglob("*") if p.is_file()) for d in (a, b)))

    x, y = (json.loads((d / "profile_export_aiperf.json").read_text()) for d in (a, b))
    differences("keys of the JSON export", list(x), list(y))
    mx, my = ({k: v for k, v in j.items() if is_metric(v)} for j in (x, y))
    differences("unit and statistics", {k: shape(mx[k]) for k in mx if k in my}, {k: shape(my[k]) for k in my if k in mx})
    print("\naverages")
    for k in mx:
        if k in my and "avg" in mx[k] and "avg" in my[k]:
            print(f"  {k:40} {mx[k]['avg']:16.3f} {my[k]['avg']:16.3f}  {mx[k]['unit']}")
    for k in ("input_config", "run_info"):
        differences(k, list(x.get(k) or {}), list(y.get(k) or {}))
    differences("error_summary",
                *({json.dumps(e["error_details"]): e["count"] for e in j["error_summary"]} for j in (x, y)))

    (hx, rx), (hy, ry) = (rows(d / "profile_export_aiperf.csv") for d in (a, b))
    differences("CSV headers", [",".join(h) for h in hx], [",".join(h) for h in hy])
    differences("CSV rows", rx, ry)

    lx, ly = (lines(d / "profile_export.jsonl") for d in (a, b))
    differences("sections of a line", list(lx), list(ly))
    for section in lx:
        if section in ly:
            differences(f"a line's {section}", lx[section], ly[section])

    px, py = (json.loads((d / "inputs.json").read_text())["data"][0]["payloads"][0] for d in (a, b))
    differences("a payload", list(px), list(py))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
