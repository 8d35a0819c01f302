"""The duties that validator clients have done, from their logs."""

import re

from leandev.processes import wait_until

# Only a client that has stopped to work is waited for so long.
PATIENCE_S = 120
# At what must cost no duty.
TRIES = 3

_BLOCK = re.compile(r"block proposed slot=(\d+) .* result=(\w+) .* beacon=(\S+)$")
_VOTES = re.compile(
    r"votes submitted slot=(\d+) .* votes=(\d+) accepted=(\d+) already_known=(\d+) queued=(\d+) .* beacon=(\S+)$")


def missed(lines, slots, validators):
    """Duties of `slots` that were not done, as (blocks, votes). `lines`: of the logs of all clients, which have
    `validators` validators together.

    Each validator owes one vote in each slot. The proposer's vote is in its block; a proposer that could not build its
    block votes as the others do.
    """
    blocks, votes = set(), 0
    for line in lines:
        block, voted = _BLOCK.search(line), _VOTES.search(line)
        if block and int(block[1]) in slots and block[2] in ("accepted", "already_known", "queued"):
            blocks.add(int(block[1]))
        if voted and int(voted[1]) in slots:
            votes += sum(int(voted[index]) for index in (3, 4, 5))
    return len(slots) - len(blocks), len(slots) * validators - len(blocks) - votes


def expect_none_missed(attempt, log=None):
    """Calls `attempt`, which returns the duties that were missed meanwhile, until it returns none.

    A busy machine may not run a program for a whole slot. What costs duties by itself costs them in each of a few
    attempts. `log`: returns what to show then.
    """
    for _ in range(TRIES):
        missed_ones = attempt()
        if not missed_ones:
            return
        print(f"missed: {missed_ones}", flush=True)
    shown = f"\n{log()}" if log else ""
    raise AssertionError(f"duties were missed in each of {TRIES} attempts, at last {missed_ones}{shown}")


class DutyLog:
    """The logged duties of a client that has the validators `own`, out of `validators` in all."""

    def __init__(self, path, validators, own=None):
        """`own`: their indices; None: every validator."""
        self._path = path
        self._validators = validators
        self._own = range(validators) if own is None else own

    def _proposes(self, slot):
        return slot % self._validators in self._own

    def text(self):
        return self._path.read_text(encoding="utf-8", errors="replace")

    def blocks(self):
        """{slot: beacon that built its block}, for accepted blocks."""
        found = (_BLOCK.search(line) for line in self.text().splitlines())
        return {int(match[1]): match[3] for match in found if match and match[2] in ("accepted", "already_known")}

    def votes(self):
        """{slot: beacon that built its votes}, for slots whose votes were all accepted. The proposer's is in its
        block."""
        found = (_VOTES.search(line) for line in self.text().splitlines())
        return {
            int(match[1]): match[6]
            for match in found
            if match and int(match[2]) == int(match[3]) + int(match[4]) == len(self._own) - self._proposes(int(match[1]))
        }

    def await_slot(self, slot):
        """Waits until the client has logged its duties of `slot`, or those of two slots later: it has missed them then. A
        slot may be over before the client has written its line."""

        def logged():
            lines = self.text().splitlines()
            votes = {int(match[1]) for match in map(_VOTES.search, lines) if match}
            blocks = {int(match[1]) for match in map(_BLOCK.search, lines) if match}
            return slot in votes or max(votes | blocks, default=0) >= slot + 2

        wait_until(logged, PATIENCE_S, f"the duties of slot {slot} in {self._path}")

    def missed(self, first, last):
        """The duties that were not done in the slots from `first` to `last`, as texts. Waits for the log of the last
        one."""
        self.await_slot(last)
        blocks, votes = self.blocks(), self.votes()
        slots = range(first, last + 1)
        return [f"block {slot}" for slot in slots if self._proposes(slot) and slot not in blocks] + [
            f"votes {slot}" for slot in slots if slot not in votes and len(self._own) > self._proposes(slot)
        ]
