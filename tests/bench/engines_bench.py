#!/usr/bin/python3
"""What network engines cost: several of them, each linked with all others and with a scripted beacon.

In every slot one beacon publishes a block at the begin, and all of them publish their share of the votes an interval
later. Every beacon accepts whatever it hears. The bench prints when each beacon had all of it, and what each engine
took for it. Nobody verifies signatures: this is the network alone.
"""

import argparse
import multiprocessing
import os
import pathlib
import queue
import struct
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "deploy" / "lib"))

# pylint: disable=wrong-import-position
from leandev import network  # noqa: E402
from leandev.processes import Process, wait_until  # noqa: E402

# pylint: enable=wrong-import-position

SIGNATURE_BYTES = 3116
ATTESTATION_BYTES = 136
VOTES_IN_MESSAGE = 256  # as the beacon sends them
MESSAGE_BYTES = 16 << 20
PATIENCE_S = 60


def signature():
    """One that no compression makes smaller."""
    return os.urandom(SIGNATURE_BYTES - 16) + bytes(16)


def make_vote(validator, slot):
    """Of the form of SSZ(SignedAttestation)."""
    return struct.pack("<QQ", validator, slot) + os.urandom(ATTESTATION_BYTES - 16) + signature()


def make_block(signatures, slot):
    """Of the form of SSZ(SignedBlockWithAttestation)."""
    message = struct.pack("<Q", slot) + os.urandom(300)
    return struct.pack("<II", 8, 8 + len(message)) + message + b"".join(signature() for _ in range(signatures))


class ScriptedBeacon:
    """Attached to one engine, in a process of its own."""

    def __init__(self, options, number, socket_path, ready, begin, results):
        """`ready` gets the number once the engine is linked; `begin` then gets the time of the first slot."""
        self._options, self._number, self._socket_path = options, number, socket_path
        self._ready, self._begin, self._results = ready, begin, results
        votes = options.votes
        self._share = range(votes * number // options.engines, votes * (number + 1) // options.engines)
        self._missing = [votes - len(self._share)] * options.slots
        self._votes_after = [0.0] * options.slots
        self._block_after = [0.0] * options.slots

    def run(self):
        import grpc  # pylint: disable=import-outside-toplevel
        from lean.v1 import network_engine_pb2 as pb  # pylint: disable=import-outside-toplevel
        from lean.v1 import network_engine_pb2_grpc as rpc  # pylint: disable=import-outside-toplevel
        from lean.v1 import types_pb2  # pylint: disable=import-outside-toplevel

        limits = [("grpc.max_receive_message_length", MESSAGE_BYTES), ("grpc.max_send_message_length", MESSAGE_BYTES)]
        genesis = types_pb2.Checkpoint(root=bytes(32), slot=0)
        hello = pb.BeaconHello(
            contract_version=1, validator_count=self._options.votes, slot_duration_ms=self._options.slot_ms,
            status=pb.ChainStatus(finalized=genesis, head=genesis))
        said = queue.SimpleQueue()
        said.put(pb.BeaconToEngine(hello=hello))
        publisher = threading.Thread(target=self._publish, args=(pb, said), daemon=True)
        told = False
        counts = {}
        with grpc.insecure_channel(f"unix:{self._socket_path}", options=limits) as channel:
            for message in rpc.NetworkEngineStub(channel).Attach(iter(said.get, None)):
                if message.HasField("items"):
                    self._take(pb, said, message.items.items)
                elif message.HasField("report"):
                    counts = {field.name: value for field, value in message.report.counts.ListFields()}
                    meshed = [peer for peer in message.report.peers if peer.in_block_mesh and peer.in_vote_mesh]
                    if len(meshed) == self._options.engines - 1 and not told:
                        told = True
                        self._ready.put(self._number)
                    if self._begin.value and publisher.ident is None:
                        publisher.start()
                    if self._begin.value and time.monotonic() > self._time_of(self._options.slots):
                        break
        self._results.put((self._number, self._missing, self._votes_after, self._block_after, counts))

    def _time_of(self, slot):
        return self._begin.value + slot * self._options.slot_ms / 1000

    def _votes_time_of(self, slot):
        return self._time_of(slot) + self._options.slot_ms / 4000

    def _publish(self, pb, said):
        for slot in range(self._options.slots):
            votes = [make_vote(validator, slot) for validator in self._share]
            if slot % self._options.engines == self._number and self._options.signatures:
                made = make_block(self._options.signatures, slot)
                sleep_until(self._time_of(slot))
                said.put(pb.BeaconToEngine(publish=pb.Publish(blocks=[made])))
            sleep_until(self._votes_time_of(slot))
            for first in range(0, len(votes), VOTES_IN_MESSAGE):
                said.put(pb.BeaconToEngine(publish=pb.Publish(votes=votes[first:first + VOTES_IN_MESSAGE])))

    def _take(self, pb, said, items):
        now = time.monotonic()
        self._verify(items)
        verdicts = pb.Verdicts(verdicts=[pb.Verdict(id=item.id, outcome=pb.Verdict.ACCEPT) for item in items])
        said.put(pb.BeaconToEngine(verdicts=verdicts))
        for item in items:
            (slot,) = struct.unpack_from("<Q", item.vote or item.block, 8)
            if item.block:
                self._block_after[slot] = now - self._time_of(slot)
            else:
                self._missing[slot] -= 1
                self._votes_after[slot] = now - self._votes_time_of(slot)


    def _verify(self, items):
        """Takes as long as a beacon for the signatures, without the work."""
        signatures = sum(self._options.signatures if item.block else 1 for item in items)
        time.sleep(signatures * self._options.verify_us / 1e6)


def sleep_until(moment):
    time.sleep(max(0.0, moment - time.monotonic()))


def start_engines(options, folder):
    """Each dials all that were started before."""
    engines, addresses = [], []
    for number in range(options.engines):
        port = network.free_port()
        log = folder / f"engine-{number}.log"
        arguments = [*options.prefix.split(), options.program, "--socket", folder / f"{number}.sock"]
        arguments += ["--node-key", folder / f"{number}.key", "--listen", f"127.0.0.1:{port}"]
        for address in addresses:
            arguments += ["--peer", address]
        engine = Process(f"engine-{number}", arguments, log)
        wait_until(lambda log=log: "engine_enr" in log.read_text(encoding="utf-8"), PATIENCE_S, "an engine to start")
        peer_id = log.read_text(encoding="utf-8").split("peer_id=")[1].split()[0]
        addresses.append(f"/ip4/127.0.0.1/udp/{port}/quic-v1/p2p/{peer_id}")
        engines.append((engine, port))
    return engines


def switches(pid):
    """Context switches of all threads."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for line in (task / "status").read_text(encoding="ascii").splitlines():
            total += int(line.split()[1]) if "ctxt_switches" in line else 0
    return total


def dropped_datagrams(port):
    """Those that found the socket's buffer full."""
    for line in pathlib.Path("/proc/net/udp").read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        if int(fields[1].split(":")[1], 16) == port:
            return int(fields[12])
    return 0


def seconds(values):
    return " ".join(f"{value:.2f}" for value in values)


def measure(options, folder):
    sys.path.insert(0, str(options.build_dir / "python"))
    context = multiprocessing.get_context("fork")
    ready, results, begin = context.Queue(), context.Queue(), context.Value("d", 0.0)
    engines = start_engines(options, folder)
    beacons = [
        context.Process(target=ScriptedBeacon(options, n, folder / f"{n}.sock", ready, begin, results).run, daemon=True)
        for n in range(options.engines)
    ]
    for beacon in beacons:
        beacon.start()
    for _ in beacons:
        ready.get(timeout=PATIENCE_S)
    begin.value = time.monotonic() + 2
    used = [(engine.cpu_s(), switches(engine.pid)) for engine, _ in engines]
    load = []
    found = []
    while len(found) < len(beacons):
        try:
            found.append(results.get(timeout=1))
        except queue.Empty:
            load.append(os.getloadavg()[0])
    for (engine, port), (cpu, before), (_, missing, votes_after, block_after, counts) in zip(
            engines, used, sorted(found)):
        print(f"{engine.name}: {(engine.cpu_s() - cpu) / options.slots:.3f} s CPU a slot, "
              f"{(switches(engine.pid) - before) / options.slots:.0f} context switches, votes missing: {sum(missing)}, "
              f"votes after {seconds(votes_after)} s, blocks after {seconds(filter(None, block_after))} s, "
              f"datagrams dropped: {dropped_datagrams(port)}, {counts}")
    total = sum(engine.cpu_s() - cpu for (engine, _), (cpu, _) in zip(engines, used))
    print(f"mean of all engines: {total / options.slots / len(engines):.3f} s CPU a slot; "
          f"load average {min(load):.1f} to {max(load):.1f}")
    for engine, _ in engines:
        engine.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    build_dir = pathlib.Path(os.environ.get("LEAN_BUILD_DIR", ROOT / "build" / "release"))
    parser.add_argument("--build-dir", type=pathlib.Path, default=build_dir, help="with the stubs, and the program")
    parser.add_argument("--program", type=pathlib.Path, help="another lean-p2p than that of the build")
    parser.add_argument("--prefix", default="", help="a command that the engines are run under")
    parser.add_argument("--engines", type=int, default=4)
    parser.add_argument("--votes", type=int, default=4096, help="in a slot, of all beacons")
    parser.add_argument("--signatures", type=int, default=4096, help="of a block; 0: no blocks")
    parser.add_argument("--verify-us", type=float, default=20, help="that a beacon takes for a signature")
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--slot-ms", type=int, default=4000)
    options = parser.parse_args()
    options.program = options.program or options.build_dir / "bin" / "lean-p2p"
    with tempfile.TemporaryDirectory(prefix="lean-bench-") as folder:
        measure(options, pathlib.Path(folder))


if __name__ == "__main__":
    main()
