#!/usr/bin/python3
"""How the costs of a beacon grow with the number of validators: processor time of a slot, and bytes written to the disk.
Beside each is its floor in the same run: the signatures of the votes alone, on one thread, and the bytes of the block.

In each network all validators vote in every slot. The beacon has its network engine (lean-p2p), if that was built, but
no peers.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys

import voted_network
from leandev import engine

SIGNATURE_BYTES = 3116
ATTESTATION_BYTES = 136
SLOTS_BETWEEN = 4


def lean_load_steps(made, options, result):
    subprocess.run(
        list(map(str, [*made.load_arguments(options.build_dir / "bin" / "lean-load"), "--votes-only", "--slots",
                       options.slots, "--json", result])), check=True, stdout=subprocess.DEVNULL)
    steps = json.loads(result.read_text(encoding="ascii"))["steps"]
    return {step["call"]: step for step in steps}


def measure(options, validators):
    """One network. Returns its figures."""
    with_engine = engine.program(options.build_dir).is_file()
    made = voted_network.VotedNetwork(
        options.build_dir, options.dir, validators, options.slot_ms, 2 * (options.slots + SLOTS_BETWEEN),
        beacons=2 if with_engine else 1)
    try:
        made.start()
        steps = lean_load_steps(made, options, made.directory / "growth.json")
        votes = steps["votes"]
        body = validators * (SIGNATURE_BYTES + ATTESTATION_BYTES)
        return {
            "validators": validators,
            "cpu_s_slot": votes["cpu_s_slot"],
            "cpu_s_slot_without_votes": steps["nothing"]["cpu_s_slot"],
            "signatures_s_slot": votes["floor_s_slot"] / made.share_of_voters,
            "body_bytes": body,
            "written_bytes_slot": votes["written_bytes_slot"],
            "engine": with_engine,
            "errors": votes["errors"],
        }
    finally:
        made.stop()


def table_line(figures):
    return (f"{figures['validators']:>10} {figures['cpu_s_slot']:>9.3f} s {figures['signatures_s_slot']:>9.3f} s "
            f"{figures['cpu_s_slot'] / figures['signatures_s_slot']:>6.1f} {figures['body_bytes'] / 1e6:>8.2f} MB "
            f"{figures['written_bytes_slot'] / 1e6:>8.2f} MB "
            f"{figures['written_bytes_slot'] / figures['body_bytes']:>7.2f}"
            f"{'  ' + str(figures['errors']) if figures['errors'] else ''}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    build_dir = pathlib.Path(os.environ.get("LEAN_BUILD_DIR", voted_network.ROOT / "build" / "release"))
    parser.add_argument("--build-dir", type=pathlib.Path, default=build_dir)
    parser.add_argument("--dir", type=pathlib.Path,
                        help="parent of the networks' folders, on a disk; default: that of temporary files")
    parser.add_argument("--validators", type=lambda text: [int(part) for part in text.split(",")],
                        default=[4, 64, 512, 2048, 4096])
    parser.add_argument("--slot-ms", type=int, default=4000)
    parser.add_argument("--slots", type=int, default=8, help="slots with votes in each network")
    parser.add_argument("--json", type=pathlib.Path, help="also write the results to this file")
    options = parser.parse_args()
    print(f"{'validators':>10} {'CPU/slot':>11} {'signatures':>11} {'ratio':>6} {'body':>11} {'written':>11} {'ratio':>7}",
          flush=True)
    found = []
    for validators in options.validators:
        found.append(measure(options, validators))
        print(table_line(found[-1]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main())
