"""A beacon with a full registry for a benchmark: a client proposes with a few of the keys, and lean-load votes with the
others, so that signing and signing records take little of the machine."""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "deploy" / "lib"))

# pylint: disable=wrong-import-position
from leandev import network  # noqa: E402

# pylint: enable=wrong-import-position

# Lifetimes of keys: they have 2^8 or 2^16 leaves, one for each slot. Keys of the first kind are made for thousands of
# validators in seconds.
LOG_LIFETIMES = (8, 16)


def tree_slots(log_lifetime):
    """A key's active slots are a multiple of this, and it can sign in twice as many without being prepared again."""
    return 2**(log_lifetime // 2)


def log_lifetime_for(slots):
    """The lifetime of keys for so many slots: lean-load prepares its keys once, before it measures."""
    for log_lifetime in LOG_LIFETIMES:
        if slots <= 2 * tree_slots(log_lifetime):
            return log_lifetime
    raise SystemExit(f"{slots} slots are too many for one run, at most {2 * tree_slots(LOG_LIFETIMES[-1])}")


class VotedNetwork:
    """Made with keys and genesis; start() runs the beacon and its proposing client."""

    def __init__(self, build_dir, parent, validators, slot_ms, slots, beacons=1):
        """`parent`: a folder for the network's own. `slots`: how many the benchmark lasts at most."""
        log_lifetime = log_lifetime_for(slots)
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="lean-load-", dir=parent))
        # Validators propose in turn. One key at least is for lean-load.
        proposers = min(slots, validators - 1)
        active_slots = -(-slots // tree_slots(log_lifetime)) * tree_slots(log_lifetime)
        settings = network.Settings(
            directory=self.directory, build_dir=build_dir, validators=validators, clients=1, beacons=beacons,
            slot_ms=slot_ms, genesis_delay_s=3 + validators // 1000, xmss_log_lifetime=log_lifetime,
            active_slots=active_slots, port=network.free_port())
        self.network = network.Network(settings)
        keystores = [
            network.make_keys(build_dir, self.directory / name, indices, log_lifetime, active_slots, quiet=True)
            for name, indices in (("proposers", range(proposers)), ("voters", range(proposers, validators)))
        ]
        self.voters = keystores[1]
        self.share_of_voters = (validators - proposers) / validators
        self.network.use_keys(keystores)
        self.network.make_genesis(quiet=True)

    def start(self):
        """Starts the first beacon, with its engine if there are several, and the client that proposes."""
        if self.network.places[0].listen:
            self.network.start_engine(0)
        self.network.start_beacon(0)
        self.network.start_client(0)

    def load_arguments(self, program):
        """The arguments that let lean-load vote at the first beacon."""
        place = self.network.places[0]
        return [program, "--beacon", place.rpc_address, "--keystores", self.voters, "--pid", self.network.beacon.pid]

    def vote_steps(self, build_dir, slots):
        """Votes with all keys for `slots` slots. Returns what lean-load measured, by step."""
        result = self.directory / "votes.json"
        command = [*self.load_arguments(build_dir / "bin" / "lean-load"), "--votes-only", "--slots", slots, "--json", result]
        subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)
        return {step["call"]: step for step in json.loads(result.read_text(encoding="ascii"))["steps"]}

    def stop(self):
        self.network.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


def measure_sizes(description, measure, header, table_line, sizes, slots):
    """The program of a benchmark that starts a network for each number of validators: reads the command line, prints a
    table, and writes JSON if asked. `measure(options, validators)` returns figures, `table_line(figures)` their line.
    `sizes`, `slots`: what is measured by default."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    build_dir = pathlib.Path(os.environ.get("LEAN_BUILD_DIR", ROOT / "build" / "release"))
    parser.add_argument("--build-dir", type=pathlib.Path, default=build_dir)
    parser.add_argument("--dir", type=pathlib.Path,
                        help="parent of the networks' folders, on a disk; default: that of temporary files")
    parser.add_argument("--validators", type=lambda text: [int(part) for part in text.split(",")], default=sizes)
    parser.add_argument("--slot-ms", type=int, default=4000)
    parser.add_argument("--slots", type=int, default=slots, help="slots with votes in each network")
    parser.add_argument("--json", type=pathlib.Path, help="also write the results to this file")
    options = parser.parse_args()
    print(header, flush=True)
    found = []
    for validators in options.validators:
        found.append(measure(options, validators))
        print(table_line(found[-1]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="ascii")
