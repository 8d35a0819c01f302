#!/usr/bin/python3
"""How long a block takes to a second beacon, and how fast that beacon syncs, by the number of votes in a block.

Two beacons with their network engines run on this machine. The client that proposes and lean-load, which votes with all
other keys, use the first one.

gossip: from when the first beacon has imported a block until the second one has, each told by its events. In between the
block is sent, verified and imported. Its votes have come by themselves before, as in any network.

sync: then the second beacon starts again with an empty folder. Full blocks a second from its first import to its last, and
its processor time for each of them. Beside it the floor: the time that one thread takes for the block's signatures alone.
"""

import dataclasses
import shutil
import statistics
import threading
import time

import grpc

import voted_network
from leandev.processes import wait_until

SLOTS_BETWEEN = 4
FIRST, SECOND = 0, 1
FULL = 0.95  # of the validators have votes in a full block
PATIENCE_S = 600


@dataclasses.dataclass
class Seen:
    """A full block that a beacon has imported."""
    time_s: float  # of this process's clock
    cpu_s: float  # of the beacon so far


class FullBlocks(threading.Thread):
    """Notes when a beacon imports full blocks, by slot."""

    def __init__(self, network, number, least_votes):
        super().__init__(daemon=True)
        self.seen = {}
        self.begin = None  # when it imported its first block, full or not
        self._beacon = network.beacons[number]
        self._least_votes = least_votes
        self._channel = grpc.insecure_channel(network.places[number].rpc_address)
        from lean.v1 import beacon_pb2_grpc, events_pb2  # pylint: disable=import-outside-toplevel

        self._events = beacon_pb2_grpc.BeaconServiceStub(self._channel).StreamEvents(
            events_pb2.StreamEventsRequest(kinds=[events_pb2.Event.BLOCK]))
        self._events.initial_metadata()  # from here on nothing is missed
        self.start()

    def run(self):
        try:
            for message in self._events:
                now = Seen(time.monotonic(), self._beacon.cpu_s())
                self.begin = self.begin or now
                for event in message.events:
                    if event.block.votes >= self._least_votes:
                        self.seen[event.block.block.slot] = now
        except grpc.RpcError:
            pass  # it was stopped

    def stop(self):
        self._events.cancel()
        self.join()
        self._channel.close()


def gossip(made, options, least_votes):
    """Milliseconds from one beacon to the other for each full block, and the seconds of its signatures."""
    watches = [FullBlocks(made.network, number, least_votes) for number in (FIRST, SECOND)]
    steps = made.vote_steps(options.build_dir, options.slots)
    first, second = (watch.seen for watch in watches)
    wait_until(lambda: first and max(first) in second, PATIENCE_S, "the second beacon to have the last block")
    for watch in watches:
        watch.stop()
    floor_s = steps["votes"]["floor_s_slot"] / made.share_of_voters
    return sorted(1000 * (second[slot].time_s - first[slot].time_s) for slot in first if slot in second), floor_s


def sync(made, least_votes):
    """Blocks a second, and processor time of a block."""
    network = made.network
    network.clients[0].stop()  # no more blocks
    network.kill_node(SECOND)
    shutil.rmtree(network.data_dir(SECOND))
    last = network.rpcs[FIRST].status().head.slot
    network.start_beacon(SECOND)
    watch = FullBlocks(network, SECOND, least_votes)
    network.start_engine(SECOND)
    wait_until(lambda: network.rpcs[SECOND].status(timeout_s=PATIENCE_S).head.slot >= last, PATIENCE_S,
               "the second beacon to have the chain")
    wait_until(lambda: watch.seen, PATIENCE_S, "full blocks")
    watch.stop()
    # The chain begins with blocks that are not full. Several blocks may be told together.
    first, final = watch.begin, watch.seen[max(watch.seen)]
    blocks = sum(1 for seen in watch.seen.values() if seen.time_s > first.time_s)
    if blocks == 0:
        return {"blocks": 0}
    return {"blocks": blocks, "blocks_s": blocks / (final.time_s - first.time_s),
            "cpu_s_block": (final.cpu_s - first.cpu_s) / blocks}


def measure(options, validators):
    """One network. Returns its figures."""
    made = voted_network.VotedNetwork(
        options.build_dir, options.dir, validators, options.slot_ms, 2 * (options.slots + SLOTS_BETWEEN), beacons=2)
    try:
        made.start()
        made.network.start_node(SECOND)
        wait_until(lambda: made.network.rpcs[FIRST].linked(), PATIENCE_S, "the beacons to be linked")
        least_votes = int(FULL * validators)
        times, floor_s = gossip(made, options, least_votes)
        return {
            "validators": validators,
            "gossip_ms": times,
            "signatures_s_block": floor_s,
            "sync": sync(made, least_votes),
        }
    finally:
        made.stop()


def table_line(figures):
    times, synced, floor = figures["gossip_ms"], figures["sync"], figures["signatures_s_block"]
    line = f"{figures['validators']:>10} {len(times):>7}"
    line += f" {statistics.median(times):>7.0f} ms {max(times):>7.0f} ms" if times else f" {'-':>10} {'-':>10}"
    line += f" {synced['blocks']:>7}"
    if synced["blocks"]:
        line += f" {synced['blocks_s']:>9.1f} {1000 * synced['cpu_s_block']:>8.1f} ms"
    else:
        line += f" {'-':>9} {'-':>11}"
    return f"{line} {1000 * floor:>8.1f} ms"


if __name__ == "__main__":
    voted_network.measure_sizes(
        __doc__, measure, f"{'validators':>10} {'blocks':>7} {'gossip p50':>10} {'most':>10} {'synced':>7} {'blocks/s':>9} "
        f"{'CPU/block':>11} {'signatures':>11}", table_line, sizes=[64, 1024, 4096], slots=12)
