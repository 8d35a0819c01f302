"""Prints our XMSS figures beside leanSig's: leansig_ratios.py PEER_LINES OUR_JSON (see compare_leansig)."""

import json
import sys

SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as lines:
        peer = dict(words for words in (line.split() for line in lines) if len(words) == 2)
    with open(sys.argv[2], encoding="utf-8") as file:
        runs = json.load(file)["benchmarks"]

    def run_of(name: str) -> dict:
        return next(run for run in runs if run["name"].startswith(name))

    def seconds(name: str) -> float:
        run = run_of(name)
        return run["real_time"] * SECONDS[run["time_unit"]]

    sign = run_of("xmss/sign")
    verify = float(peer["verify_us"]) * 1e-6
    rows = [
        ("key of 2^17 slots", float(peer["keygen_ms_per_2pow17"]) * 1e-3, seconds("xmss/keygen/threads:1")),
        ("sign, median", float(peer["sign_us"]) * 1e-6, sign["median_s"]),
        ("verify one, median", verify, run_of("xmss/verify_one")["median_s"]),
        ("verify one of 512, mean", verify, seconds("xmss/verify_batch/signatures:512") / 512),
    ]
    if "sign_p99_us" in peer:
        rows.insert(2, ("sign, 99th percentile", float(peer["sign_p99_us"]) * 1e-6, sign["p99_s"]))
    print(f"{'':32}{'leanSig':>14}{'ours':>14}{'ratio':>9}")
    for name, theirs, ours in rows:
        print(f"{name:32}{show(theirs):>14}{show(ours):>14}{theirs / ours:>8.2f}x")


def show(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 0.1 else f"{seconds * 1e6:.1f} us"


if __name__ == "__main__":
    main()
