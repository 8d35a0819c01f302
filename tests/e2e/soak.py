"""Runs many beacons and their network engines on one machine for thousands of short slots. Memory, disk and
descriptors of each are measured and must not grow after a warm-up.

Engines are linked to others at distances 1, 2, 4 and 8, so that most messages travel over several engines. Run it by
hand (`soak.py --help`) with LEAN_BUILD_DIR and PYTHONPATH as in e2e.py; ctest runs it with the label `long`.
"""

import argparse
import json
import pathlib
import shutil
import statistics
import sys
import tempfile
import time

import e2e
import usage
from leandev import network
from leandev.processes import wait_until
from watch import Watch

KINDS = ("beacon", "engine")
LINKS = 4
# The part of the run before this is the warm-up, in which caches fill.
WARM_UP = 0.4
# Allowed growth in a slot, for the mean of all beacons and of all engines. A single process may grow twice as much: the
# buffers and files of its database fill and empty over several hundred slots.
MEMORY_BYTES_PER_SLOT = 2048
# With old blocks dropped: roots and slots of all blocks stay.
DISK_BYTES_PER_SLOT = 2048
# With all blocks kept: this much for each vote, plus the rest of a slot.
ALL_DISK_BYTES_PER_VOTE = 4096
ALL_DISK_BYTES_PER_SLOT = 16384
# Two more descriptors are a leak. The number of gRPC's threads varies a little.
MORE_DESCRIPTORS = 2
MORE_THREADS = 4
# Finality may be this many slots behind the clock at the end.
FINALITY_SLOTS = 12


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--beacons", type=int, default=16, help="each with a client")
    parser.add_argument("--validators", type=int, help="of all clients together (default: one a client)")
    parser.add_argument("--slots", type=int, default=2000)
    parser.add_argument("--slot-ms", type=int, default=1000)
    keep = parser.add_mutually_exclusive_group()
    keep.add_argument("--keep-slots", type=int, default=256, help="as of lean-beacon run")
    keep.add_argument("--keep-all", action="store_true", help="blocks are not dropped: the disk grows by them")
    parser.add_argument("--directory", type=pathlib.Path, help="for the network, kept (default: a temporary one)")
    parser.add_argument("--json", type=pathlib.Path, help="write all samples to this file")
    return parser.parse_args()


def make_network(options, directory):
    active_slots = 1 << max(10, (options.slots + 100).bit_length())
    validators = options.validators or options.beacons
    settings = network.Settings(
        directory=directory, build_dir=e2e.BUILD_DIR, validators=validators, clients=options.beacons,
        beacons=options.beacons, slot_ms=options.slot_ms, genesis_delay_s=20, xmss_log_lifetime=e2e.XMSS_LOG_LIFETIME,
        active_slots=active_slots, port=network.free_port())
    net = network.Network(settings)
    addresses = [net.dial_address(number) for number in range(options.beacons)]
    for number, place in enumerate(net.places):
        others = {(number + 2**power) % options.beacons for power in range(LINKS)} - {number}
        place.dials = [addresses[other] for other in sorted(others)]
        if not options.keep_all:
            place.arguments = ("--keep-slots", options.keep_slots)
    net.use_keys([
        e2e.copy_keys(keystores, directory / f"keys-{number}")
        for number, keystores in enumerate(e2e.shared_keys(options.beacons, validators, active_slots=active_slots))
    ])
    net.make_genesis(quiet=True)
    return net


class Soak:
    """A run, with about 200 samples of every beacon and engine."""

    def __init__(self, options, net):
        self._options = options
        self._net = net
        self._watch = Watch(net, period_s=options.slot_ms / 1000)
        self._conflicts = []
        self.samples = {kind: [[] for _ in net.beacons] for kind in KINDS}

    def run(self):
        step = max(1, self._options.slots // 200)
        for slot in range(step, self._options.slots + 1, step):
            wait_until(
                lambda slot=slot: self._watch.slot() >= slot, step * self._options.slot_ms / 1000 + 60, f"slot {slot}")
            for number, (beacon, engine) in enumerate(zip(self._net.beacons, self._net.engines)):
                for kind, process, folder in (("beacon", beacon, self._net.data_dir(number)),
                                              ("engine", engine.process, engine.folder)):
                    if not process.running():
                        raise network.NetworkError(
                            f"{process.name} ended with {process.exit_code()}:\n{process.log_tail()}")
                    self.samples[kind][number].append(usage.sample(process.pid, folder, slot))
            if slot % (10 * step) == 0:
                self._show(slot)
                # Checked before the beacons drop the blocks. Recently finalized blocks are checked again later.
                self._conflicts += self._watch.conflicts_since(slot - 15 * step)

    def _show(self, slot):
        finalized = [self._watch.finalized_slot(number) for number in range(len(self._net.beacons))]
        print(f"slot={slot} finalized={min(finalized)}..{max(finalized)}", flush=True)
        for kind in KINDS:
            latest = [samples[-1] for samples in self.samples[kind]]
            print(
                f"  {kind}s: rss_mib={min(s.rss for s in latest) / 2**20:.1f}..{max(s.rss for s in latest) / 2**20:.1f} "
                f"disk_mib={max(s.disk for s in latest) / 2**20:.1f} "
                f"files={max(s.files for s in latest)} "
                f"descriptors={min(s.descriptors for s in latest)}..{max(s.descriptors for s in latest)} "
                f"threads={max(s.threads for s in latest)}",
                flush=True)

    def judge(self):
        """The failures as texts. Prints the figures."""
        now = self._watch.slot()
        self._watch.stop()
        wrong = list(dict.fromkeys(self._conflicts + self._watch.conflicts())) + self._watch.blames()
        print("figures of each process after the warm-up:")
        for number in range(len(self._net.beacons)):
            behind = now - self._watch.finalized_slot(number)
            if behind > FINALITY_SLOTS:
                wrong.append(f"beacon {number} has finalized nothing for {behind} slots")
        for kind in KINDS:
            wrong += self._growth(kind)
        print(self._watch.report(), flush=True)
        return wrong

    def _growth(self, kind):
        """The values that grow too much, as texts."""
        span = (1 - WARM_UP) * self._options.slots
        limits = {
            "rss": MEMORY_BYTES_PER_SLOT, "disk": self._disk_limit(),
            "descriptors": MORE_DESCRIPTORS / span, "threads": MORE_THREADS / span,
        }
        slopes = [self._slopes(kind, number, limits) for number in range(len(self._net.beacons))]
        wrong = []
        for field, limit in limits.items():
            of_all = [slope[field] for slope in slopes]
            mean = statistics.mean(of_all)
            print(f"{field} of {kind}s grows by {mean:.3g} a slot on average, {max(of_all):.3g} at most", flush=True)
            if mean > limit:
                wrong.append(f"{field} grows by {mean:.3g} a slot on average of the {kind}s, more than {limit:.3g}")
            wrong += [f"{kind} {number}: {field} grows by {slope:.3g} a slot, more than {2 * limit:.3g}"
                      for number, slope in enumerate(of_all) if slope > 2 * limit]
        return wrong

    def _disk_limit(self):
        if self._options.keep_all:
            return ALL_DISK_BYTES_PER_SLOT + ALL_DISK_BYTES_PER_VOTE * self._net.settings.validators
        return DISK_BYTES_PER_SLOT

    def _slopes(self, kind, number, fields):
        warm = [s for s in self.samples[kind][number] if s.slot > WARM_UP * self._options.slots]
        slopes = {field: usage.slope(warm, field) for field in fields}
        print(
            f"{kind}={number} rss_mib={warm[0].rss / 2**20:.1f}->{warm[-1].rss / 2**20:.1f} "
            f"rss_bytes_per_slot={slopes['rss']:.0f} disk_mib={warm[0].disk / 2**20:.1f}->{warm[-1].disk / 2**20:.1f} "
            f"disk_bytes_per_slot={slopes['disk']:.0f} files={warm[0].files}->{warm[-1].files} "
            f"descriptors={warm[0].descriptors}->{warm[-1].descriptors} "
            f"threads={warm[0].threads}->{warm[-1].threads}",
            flush=True)
        return slopes


def main():
    options = parse_arguments()
    if e2e.missing_engine():
        print(f"skipped: {e2e.missing_engine()}")
        return 77
    directory = options.directory or pathlib.Path(tempfile.mkdtemp(prefix="lean-soak-", dir=e2e.folder_for_tests()))
    directory.mkdir(parents=True, exist_ok=True)
    net = make_network(options, directory)
    began = time.monotonic()
    try:
        net.start()
        soak = Soak(options, net)
        soak.run()
        wrong = soak.judge()
        if options.json:
            options.json.write_text(
                json.dumps({kind: [[vars(sample) for sample in samples] for samples in of_kind]
                            for kind, of_kind in soak.samples.items()}), encoding="ascii")
    finally:
        net.stop()
        if options.directory is None:
            shutil.rmtree(directory, ignore_errors=True)
    print(f"{options.slots} slots in {time.monotonic() - began:.0f} s: {len(wrong)} faults")
    for fault in wrong:
        print(f"  {fault}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
