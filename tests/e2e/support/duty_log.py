"""What a validator client has done, read from its log."""

import re

_BLOCK = re.compile(r"block proposed slot=(\d+) .* result=(\w+) .* beacon=(\S+)$")
_VOTES = re.compile(r"votes submitted slot=(\d+) .* votes=(\d+) accepted=(\d+) already_known=(\d+) .* beacon=(\S+)$")


class DutyLog:
    """The duties of a client that has every validator of a network with `validators` of them, as they are logged."""

    def __init__(self, path, validators):
        self._path = path
        self._validators = validators

    def text(self):
        return self._path.read_text(encoding="utf-8", errors="replace")

    def blocks(self):
        """Slot to the beacon that built its block, of blocks that were taken."""
        found = (_BLOCK.search(line) for line in self.text().splitlines())
        return {int(match[1]): match[3] for match in found if match and match[2] in ("accepted", "already_known")}

    def votes(self):
        """Slot to the beacon that built its votes, of slots whose votes were all taken; the proposer's is in its block."""
        found = (_VOTES.search(line) for line in self.text().splitlines())
        return {
            int(match[1]): match[5]
            for match in found
            if match and int(match[2]) == int(match[3]) + int(match[4]) == self._validators - 1
        }

    def missed(self, first, last):
        """The duties that were not done in the slots from `first` to `last`, as texts."""
        blocks, votes = self.blocks(), self.votes()
        slots = range(first, last + 1)
        return [f"block {slot}" for slot in slots if slot not in blocks] + [
            f"votes {slot}" for slot in slots if slot not in votes
        ]
