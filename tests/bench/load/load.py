#!/usr/bin/python3
"""Load on a beacon while all validators vote: BuildVote, GetHead and SubmitVotes by 1 to 256 clients in an open loop.

Starts a network of one beacon with a full registry and lets lean-load measure it. ghz repeats the GetHead step as an
independent check, if it is on PATH or can be built.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys

import voted_network

sys.path.insert(0, str(voted_network.ROOT / "tests" / "e2e" / "support"))

# pylint: disable=wrong-import-position
import go_programs  # noqa: E402

# pylint: enable=wrong-import-position

# Slots of a step besides those that are measured: until the next slot begins, and one with votes for the first block.
SLOTS_BETWEEN = 3


def whole_numbers(text):
    return [int(part) for part in text.split(",")]


def check_by_ghz(network, options):
    """Returns the latencies of GetHead as ghz measures them, beside those of lean-load; None without ghz.

    ghz counts from when it sends a call, not from when the call was due. It learns the call by reflection, because it
    cannot read `optional` fields in proto files.
    """
    ghz, why = go_programs.tool("ghz", options.build_dir / "bin")
    if why:
        print(f"the independent check is skipped: {why}")
        return None
    clients = max(options.clients)
    seconds = max(1, options.slots * options.slot_ms // 1000)
    said = subprocess.run(
        [ghz, "--insecure", "--call", "lean.v1.BeaconService.GetHead", "--connections", str(clients), "--concurrency",
         str(clients), "--rps", str(int(options.rate)), "--duration", f"{seconds}s", "--format", "json",
         network.places[0].rpc_address],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if said.returncode != 0:
        print(f"ghz failed: {said.stderr.strip()}")
        return None
    report = json.loads(said.stdout)
    latencies = {part["percentage"]: part["latency"] / 1e6 for part in report["latencyDistribution"]}
    print(f"ghz: GetHead, {clients} clients, {report['rps']:.0f} calls/s, {report['count']} calls: "
          f"p50 {latencies[50]:.2f} ms, p99 {latencies[99]:.2f} ms, most {report['slowest'] / 1e6:.2f} ms")
    return {"calls": report["count"], "p50_ms": latencies[50], "p99_ms": latencies[99]}


def measure(options):
    """Runs the steps. Returns the exit code of lean-load."""
    steps = 2 + len(options.clients) * len(options.calls.split(","))
    made = voted_network.VotedNetwork(
        options.build_dir, options.dir, options.validators, options.slot_ms, (options.slots + SLOTS_BETWEEN) * steps)
    try:
        made.start()
        result = made.directory / "load.json"
        code = subprocess.run(
            list(map(str, [
                *made.load_arguments(options.build_dir / "bin" / "lean-load"), "--slots", options.slots, "--calls",
                options.calls, "--clients", ",".join(map(str, options.clients)), "--rate", options.rate, "--json", result
            ])), check=False).returncode
        checked = check_by_ghz(made.network, options) if code == 0 else None
        if options.json and code == 0:
            report = {"validators": options.validators, "slot_ms": options.slot_ms, "ghz": checked}
            report.update(json.loads(result.read_text(encoding="ascii")))
            options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="ascii")
        return code
    finally:
        made.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    build_dir = pathlib.Path(os.environ.get("LEAN_BUILD_DIR", voted_network.ROOT / "build" / "release"))
    parser.add_argument("--build-dir", type=pathlib.Path, default=build_dir)
    parser.add_argument("--dir", type=pathlib.Path, help="parent of the network's folder; default: that of temporary files")
    parser.add_argument("--validators", type=int, default=4096)
    parser.add_argument("--slot-ms", type=int, default=4000)
    parser.add_argument("--slots", type=int, default=3, help="slots of each step")
    parser.add_argument("--calls", default="BuildVote,GetHead,SubmitVotes")
    parser.add_argument("--clients", type=whole_numbers, default=[1, 4, 16, 64, 256])
    parser.add_argument("--rate", type=float, default=500, help="calls a second of all clients")
    parser.add_argument("--json", type=pathlib.Path, help="also write the results to this file")
    sys.exit(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
