"""The display of a running devnet: a picture that is redrawn in place, or without a terminal a line for each slot."""

import collections
import dataclasses
import os
import shutil
import sys

INTERVALS = ("propose", "vote", "safe target", "accept votes")
HISTORY_ROWS = 10
# One box for each validator up to this number; above it only numbers.
MAX_BOXES = 16


def short_hex(text):
    """0x12ab…cd, as in the logs."""
    return f"{text[:6]}…{text[-2:]}" if len(text) > 10 else text


@dataclasses.dataclass
class SlotRow:
    """One finished slot, in its state at the end."""

    slot: int
    proposer: int
    block: str  # root of its block, empty when there was none
    votes: int
    missing: list
    head: int
    justified: int
    finalized: int


class SlotHistory:
    """Turns a stream of GetChainStatus answers into one row for each finished slot."""

    def __init__(self):
        self.rows = collections.deque(maxlen=HISTORY_ROWS)
        self._last = None
        self._blocks = {}  # slot: root, of heads seen

    def add(self, status):
        """Adds an answer. Returns the row of the slot that has just ended, or None."""
        last, self._last = self._last, status
        self._blocks[status.head.slot] = status.head.root
        if last is None or status.slot <= last.slot or status.slot < 1:
            return None
        slot = status.slot - 1
        row = SlotRow(
            slot=slot,
            proposer=slot % status.validator_count,
            block=self._blocks.get(slot, ""),
            votes=status.votes_in_previous_slot,
            missing=list(status.missing_in_previous_slot),
            head=last.head.slot,
            justified=last.justified.slot,
            finalized=last.finalized.slot,
        )
        self._blocks = {s: root for s, root in self._blocks.items() if s >= slot}
        if slot > 0:  # nobody votes at genesis
            self.rows.append(row)
            return row
        return None


def row_line(row, validator_count):
    """A finished slot as a log line."""
    missing = ",".join(map(str, row.missing)) or "-"
    return (
        f"slot={row.slot} head={row.head} justified={row.justified} finalized={row.finalized} "
        f"votes={row.votes}/{validator_count} proposer={row.proposer} "
        f"block={short_hex(row.block) or 'none'} missing={missing}"
    )


class Palette:
    """Terminal colours, or none."""

    def __init__(self, enabled):
        self._enabled = enabled

    def _paint(self, code, text):
        return f"\x1b[{code}m{text}\x1b[0m" if self._enabled else text

    def bold(self, text):
        return self._paint("1", text)

    def dim(self, text):
        return self._paint("2", text)

    def good(self, text):
        return self._paint("32", text)

    def poor(self, text):
        return self._paint("33", text)

    def bad(self, text):
        return self._paint("31", text)


def _votes(palette, votes, total):
    text = f"{votes}/{total}"
    if total <= MAX_BOXES:
        text += " " + "■" * votes + "□" * max(0, total - votes)
    if votes == total:
        return palette.good(text)
    return palette.poor(text) if 3 * votes >= 2 * total else palette.bad(text)


def render(settings, status, rows, processes, palette, silent_s=0, client_of=None):
    """The lines of the picture.

    `status`: the latest answer, or None before the first. `silent_s`: seconds since it, when the beacon stopped
    answering. `processes`: (name, pid, exit code or None). `client_of`: the client's name of a validator index.
    """
    keys = f"keys of 2^{settings.xmss_log_lifetime} slots"
    lines = [
        palette.bold("lean devnet") + palette.dim(
            f"   {settings.validators} validators · {settings.clients} validator clients · "
            + (f"{settings.beacons} beacons · " if settings.beacons > 1 else "") + f"slot {settings.slot_ms / 1000:g} s · {keys}"),
        "",
    ]
    if status is None:
        lines.append("waiting for the beacon")
    else:
        lines += _chain_lines(settings, status, palette, client_of)
        lines += ["", palette.dim("slot    proposer  block        votes      justified  finalized  missing")]
        for row in rows:
            block = short_hex(row.block) if row.block else "none"
            votes = f"{row.votes}/{status.validator_count}"
            missing = ", ".join(map(str, row.missing)) or "nobody"
            line = (
                f"{row.slot:<8}{row.proposer:<10}{block:<13}{votes:<11}{row.justified:<11}{row.finalized:<11}{missing}")
            lines.append(palette.poor(line) if row.missing or not row.block else line)
        lines += [""] * (HISTORY_ROWS - len(rows))
    lines.append("")
    for name, pid, exit_code in processes:
        state = palette.good("running") if exit_code is None else palette.bad(f"ended with exit code {exit_code}")
        lines.append(f"{name:<14}pid {pid:<8} {state}")
    if silent_s >= 2:
        lines.append(palette.bad(f"the beacon has not answered for {silent_s:.0f} s"))
    lines += ["", palette.dim(f"rpc {settings.address} · logs in {settings.directory} · Ctrl-C stops everything")]
    return lines


def _chain_lines(settings, status, palette, client_of):
    total = status.validator_count

    def who(index):
        return f"{index} ({client_of(index)})" if client_of else str(index)

    if status.slot < 0:
        wait_s = -status.slot * settings.slot_ms / 1000
        clock = f"{palette.bold('slot')}         genesis in about {wait_s:.0f} s"
    else:
        boxes = "▰" * (status.interval + 1) + "▱" * (len(INTERVALS) - status.interval - 1)
        name = INTERVALS[status.interval] if status.interval < len(INTERVALS) else "?"
        clock = (
            f"{palette.bold('slot')}         {palette.bold(f'{status.slot:<8}')} {boxes} "
            f"interval {status.interval}: {name}")
    lines = [clock, ""]
    for name, checkpoint in (
        ("head", status.head),
        ("safe target", status.safe_target),
        ("justified", status.justified),
        ("finalized", status.finalized),
    ):
        lines.append(f"{name:<13}{checkpoint.slot:<8} {palette.dim(short_hex(checkpoint.root))}")
    lines.append("")
    missing = list(status.missing_in_previous_slot)
    lines.append(
        f"votes in     slot {max(status.slot, 0)}: {_votes(palette, status.votes_in_slot, total)}"
        f"    slot {max(status.slot - 1, 0)}: {_votes(palette, status.votes_in_previous_slot, total)}")
    lines.append(f"proposer     {who(status.proposer_index)}, next {who((status.proposer_index + 1) % max(total, 1))}")
    lines.append(
        "missing      " + (palette.bad(", ".join(map(who, missing))) if missing and status.slot > 1 else "nobody"))
    return lines


class Screen:
    """Redraws a block of lines in place."""

    def __init__(self, out=sys.stdout):
        self._out = out
        self._drawn = 0

    def draw(self, lines):
        size = shutil.get_terminal_size()
        lines = [_cut(line, size.columns - 1) for line in lines[: size.lines - 1]]
        text = f"\x1b[?25l\x1b[{self._drawn}F" if self._drawn else "\x1b[?25l"
        text += "".join(f"{line}\x1b[K\n" for line in lines) + "\x1b[J"
        self._out.write(text)
        self._out.flush()
        self._drawn = len(lines)

    def close(self):
        self._out.write("\x1b[?25h")
        self._out.flush()


def _cut(line, width):
    """The line, cut to `width` columns; colour codes do not count."""
    shown, result, position = 0, [], 0
    while position < len(line):
        if line[position] == "\x1b":
            end = line.index("m", position) + 1
            result.append(line[position:end])
            position = end
            continue
        if shown < width:
            result.append(line[position])
            shown += 1
        position += 1
    return "".join(result)


def wants_colour(out=sys.stdout):
    return out.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
