"""Prints our XMSS figures beside leanSig's: leansig_ratios.py PEER_ONE_THREAD PEER_TWO_THREADS OURS (JSON files)."""

import json
import sys


def main() -> None:
    one, two, ours = (json.load(open(path, encoding="utf-8")) for path in sys.argv[1:4])
    runs = {run["name"]: run for run in ours["benchmarks"]}

    def seconds(name: str) -> float:
        scale = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
        run = next(run for key, run in runs.items() if key.startswith(name))
        return run["real_time"] * scale[run["time_unit"]]

    sign = next(run for key, run in runs.items() if key.startswith("xmss/sign"))
    rows = [
        ("key of 2^17 slots, one thread", one["keygen_s"], seconds("xmss/keygen/threads:1")),
        ("key of 2^17 slots, two threads", two["keygen_s"], seconds("xmss/keygen/threads:2")),
        ("sign, median", one["sign_median_s"], sign["median_s"]),
        ("sign, 99th percentile", one["sign_p99_s"], sign["p99_s"]),
        ("verify one", one["verify_median_s"], seconds("xmss/verify_one")),
        ("verify one of a batch of 512", one["verify_median_s"], seconds("xmss/verify_batch/signatures:512") / 512),
    ]
    print(f"{'':32}{'leanSig':>14}{'ours':>14}{'ratio':>9}")
    for name, peer, own in rows:
        print(f"{name:32}{show(peer):>14}{show(own):>14}{peer / own:>8.2f}x")


def show(seconds: float) -> str:
    if seconds >= 0.1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1e6:.1f} us"


if __name__ == "__main__":
    main()
