#!/usr/bin/python3
"""Writes random histories and what 3sf-mini says about them. See README.md.

    make.py FOLDER [--histories N] [--compare N] [--only NAME ...] [--out DIR]

FOLDER holds consensus.py and p2p.py of ethereum/research 30ec04b.
"""
import argparse
import dataclasses
import gzip
import json
import pathlib
import random

from history import replay
from oracle import Oracle, RULES
from world import World, Setting

SETTINGS = {
    "n1": Setting(validators=(1, 1), views=1),
    "n2_forks": Setting(validators=(2, 2), views=2, latency=3, strange=0.5),
    "n3_forks": Setting(validators=(3, 3), views=3, latency=4, strange=0.4),
    "n4_calm": Setting(validators=(4, 4), views=1, latency=0, strange=0.05),
    "n4_late": Setting(validators=(4, 4), views=3, latency=6, strange=0.2),
    "n5_absent": Setting(validators=(5, 5), views=2, latency=1, absent=0.3, strange=0.2),
    "n7_partitions": Setting(validators=(7, 7), views=3, latency=1, partition=0.3, strange=0.1),
    "n8_strange": Setting(validators=(8, 8), views=2, latency=2, strange=1.5),
    "n10_repeats": Setting(validators=(10, 10), views=2, latency=2, repeat=0.5, strange=0.3),
    "n12_nonfinal": Setting(validators=(12, 12), views=2, latency=2, absent=0.45, strange=0.2, slots=60),
    "n16_chaos": Setting(validators=(13, 17), views=3, latency=5, absent=0.2, partition=0.2, strange=0.6),
    "n32_mild": Setting(validators=(31, 32), views=2, latency=1, absent=0.1, strange=0.2),
    "any": Setting(validators=(1, 32), views=3, latency=4, absent=0.15, partition=0.15, repeat=0.2, strange=0.5),
}


def justifiable(oracle, finalized, limit):
    """The distances below the limit at which a slot may be justified."""
    return [d for d in range(limit) if oracle.consensus.is_justifiable_slot(finalized, finalized + d)]


def differs(oracle, history, expected):
    try:
        return replay(oracle, history) != expected
    except (KeyError, TypeError):
        return True  # without leanSpec's checks, the oracle stops at a root that it does not know


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--histories", type=int, default=100, help="of each setting")
    parser.add_argument("--compare", type=int, default=8, help="so many of these also without each rule")
    parser.add_argument("--only", choices=SETTINGS, nargs="+", default=list(SETTINGS), help="these settings")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent)
    args = parser.parse_args()

    ours = Oracle(args.folder)
    others = {rule: Oracle(args.folder, RULES - {rule}) for rule in sorted(RULES)}
    others["all of them"] = Oracle(args.folder, frozenset())
    differing = dict.fromkeys(others, 0)
    compared = 0
    args.out.mkdir(parents=True, exist_ok=True)
    for name in args.only:
        histories = []
        for seed in range(args.histories):
            rng = random.Random(f"{name} {seed}")
            history = World(ours, SETTINGS[name], rng).run()
            expected = replay(ours, history)
            if seed < args.compare:
                compared += 1
                for rule, oracle in others.items():
                    differing[rule] += differs(oracle, history, expected)
            histories.append({"seed": seed, **dataclasses.asdict(history), **expected})
        finalized = random.Random(name).randrange(1 << 17)
        table = {"finalized": finalized, "limit": 4000, "distances": justifiable(ours, finalized, 4000)}
        text = json.dumps({"justifiable": table, "histories": histories}, separators=(",", ":"))
        # Without name and time, so that equal content is an equal file.
        (args.out / f"{name}.json.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
        print(f"{name}: {len(histories)} histories, {sum(len(h['blocks']) for h in histories)} blocks", flush=True)
    for rule, count in differing.items():
        print(f"without {rule}: {count} of {compared} histories differ")


if __name__ == "__main__":
    main()
