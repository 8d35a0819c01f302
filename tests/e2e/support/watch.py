"""Watches the beacons of a network all the time, and checks what they have finalized."""

import collections
import re
import threading
import time

import grpc

import duty_log
from leandev.processes import wait_until

# Only a beacon that no longer answers is waited for so long.
ANSWER_S = 60
_FINALIZED = re.compile(r" finalized slot=(\d+) root=(\S+)")
# Lines of a beacon or its network engine.
_BLAME = re.compile(r" (?:peer_offence|peer_ended|sync_peer_blamed|peer_banned|item_malformed) ")


def _short(root):
    """The root in the short form of the logs."""
    return f"{root[:6]}…{root[-2:]}"


def _lines(path):
    return path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []


class Watch:
    """Polls every beacon from a separate thread."""

    def __init__(self, network, period_s=None):
        """`period_s`: time between two polls; default: a quarter of a slot."""
        self._network = network
        self._slot_s = network.settings.slot_ms / 1000
        self._period_s = period_s or self._slot_s / 4
        self._genesis_time = network.rpc.genesis().genesis_time
        self._lock = threading.Lock()
        self._latest = {}  # by beacon: its last status
        self._finalized = collections.defaultdict(dict)  # by slot: root to the beacons that had it
        self._ended = threading.Event()
        self._first = 1  # slot that duties are counted from
        self._stopped_at = 0  # slot
        self._threads = [
            threading.Thread(target=self._watch, args=(number,), daemon=True)
            for number in range(network.settings.beacons)
        ]
        for thread in self._threads:
            thread.start()

    def slot(self):
        return int((time.time() - self._genesis_time) // self._slot_s)

    def status(self, number):
        """The last answer of a beacon, or None."""
        with self._lock:
            return self._latest.get(number)

    def finalized_slot(self, number):
        status = self.status(number)
        return status.finalized.slot if status is not None else 0

    def stop(self):
        if not self._ended.is_set():
            self._stopped_at = self.slot()
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def conflicts(self):
        """Conflicts between finalized blocks, as texts: from everything that was seen and logged, and from the
        running beacons, as far as they have the blocks. Call it after stop()."""
        seen = self._finalized_by_all()
        found = [
            f"slot {slot} was finalized with different blocks: {roots}"
            for slot, roots in seen.items()
            if len(roots) > 1
        ]
        return found + self._contradictions(seen)

    def conflicts_since(self, first_slot):
        """The same for the slots from `first_slot` on, without the logs. For beacons that drop old blocks, before
        they do."""
        with self._lock:
            seen = {slot: set(roots) for slot, roots in self._finalized.items() if slot >= first_slot}
        return self._contradictions(seen)

    def _contradictions(self, seen):
        found = []
        for number, rpc in enumerate(self._network.rpcs):
            status = rpc.try_status() if rpc is not None else None
            if status is None:
                continue
            for slot, roots in sorted(seen.items()):
                if status.oldest_block_slot <= max(slot, 1) and slot <= status.finalized.slot:
                    found += self._contradiction(number, rpc, slot, roots)
        return found

    def _contradiction(self, number, rpc, slot, roots):
        """[] if the beacon's finalized block at `slot` is among `roots`, otherwise the contradiction as a text."""
        def answered():
            try:
                return rpc.block(slot=slot)
            except grpc.RpcError as error:
                if error.code() == grpc.StatusCode.NOT_FOUND:
                    raise
                return None  # it did not say what it has

        try:
            block = wait_until(answered, ANSWER_S, f"beacon {number} to answer for slot {slot}")
        except grpc.RpcError as error:
            return [f"beacon {number} has no block at slot {slot}, which was finalized: {error.details()}"]
        if not block.finalized or _short(block.root) not in roots:
            return [f"beacon {number} has {_short(block.root)} at slot {slot}, where {roots} was finalized"]
        return []

    def _finalized_by_all(self):
        """By slot: the short root to the beacons that had it finalized."""
        with self._lock:
            seen = {slot: {root: set(who) for root, who in roots.items()} for slot, roots in self._finalized.items()}
        for number in range(self._network.settings.beacons):
            for line in self._beacon_log(number):
                match = _FINALIZED.search(line)
                if match:
                    seen.setdefault(int(match[1]), {}).setdefault(match[2], set()).add(number)
        return seen

    def blames(self):
        """Lines of the beacons' and engines' logs that blame a peer."""
        return [
            f"{what} {number}: {line}"
            for number, engine in enumerate(self._network.engines)
            for what, lines in (("beacon", self._beacon_log(number)), ("engine", engine.log.splitlines()))
            for line in lines
            if _BLAME.search(line)
        ]

    def count_duties(self):
        """Counts duties from the next slot on."""
        self._first = self.slot() + 1

    def missed_duties(self):
        """duty_log.missed() for all clients, since count_duties(), in slots that were over at stop()."""
        lines = [
            line for number in range(self._network.settings.clients)
            for line in _lines(self._network.settings.directory / f"{self._network.client_name(number)}.log")
        ]
        return duty_log.missed(lines, range(self._first, self._stopped_at), self._network.settings.validators)

    def report(self):
        """Counts of the whole run, as a line. Call it after stop()."""
        blocks, votes = self.missed_duties()
        rpc = next(rpc for rpc in self._network.rpcs if rpc is not None and rpc.try_status() is not None)
        due = range(self._first, self._stopped_at)
        empty = sum(1 for slot in due if not self._has_block(rpc, slot))
        return (
            f"slots={len(due)} missed_blocks={blocks} empty_slots={empty} missed_votes={votes} "
            f"finalized_checkpoints={len(self._finalized_by_all())}")

    def _has_block(self, rpc, slot):
        try:
            rpc.block(slot=slot)
            return True
        except grpc.RpcError as error:
            return "is not held" in error.details()  # there was one

    def _beacon_log(self, number):
        return _lines(self._network.settings.directory / f"{self._network.beacon_name(number)}.log")

    def _watch(self, number):
        while not self._ended.wait(self._period_s):
            rpc = self._network.rpcs[number]
            status = rpc.try_status() if rpc is not None else None
            if status is None:
                continue
            with self._lock:
                self._latest[number] = status
                self._finalized[status.finalized.slot].setdefault(_short(status.finalized.root), set()).add(number)
