"""Hostile peers of a network engine: a separate program that runs an attack, or sends the bytes that a test chooses."""

import queue
import secrets
import subprocess
import threading

import e2e
from leandev.processes import wait_until

PROGRAM = e2e.BUILD_DIR / "p2p" / "release" / "examples" / "attacker"

VOTE_BYTES = 3252
SIGNATURE_BYTES = 3116


def compress(data):
    """Snappy's raw format, with literals only."""
    out = bytearray(_varint(len(data)))
    for at in range(0, len(data), 65536):
        part = data[at:at + 65536]
        out += bytes([61 << 2]) + (len(part) - 1).to_bytes(2, "little") + part
    return bytes(out)


def zeros(size):
    """`size` zeros in Snappy's raw format, about a twentieth of that size."""
    copies, rest = divmod(size - 1, 64)
    out = bytearray(_varint(size)) + b"\0\0"  # a literal of one zero
    out += bytes([63 << 2 | 2, 1, 0]) * copies
    if rest:
        out += bytes([(rest - 1) << 2 | 2, 1, 0])
    return bytes(out)


def _varint(value):
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def attestation(validator, slot, head, finalized):
    """SSZ of an unsigned vote; `head` and `finalized` are (root, slot)."""
    checkpoints = b"".join(root + slot.to_bytes(8, "little") for root, slot in (head, finalized, finalized))
    return validator.to_bytes(8, "little") + slot.to_bytes(8, "little") + checkpoints


def vote(validator, slot, head, signature=None):
    """SSZ of a vote for the checkpoint `head`, (root, slot), with a wrong signature."""
    return attestation(validator, slot, head, head) + (signature or secrets.token_bytes(SIGNATURE_BYTES))


def block(slot, proposer, parent, head_root=None):
    """SSZ of a block without votes on `parent`, with a wrong signature. Its proposer's vote names `head_root`, or a
    random root."""
    header = slot.to_bytes(8, "little") + proposer.to_bytes(8, "little") + parent + secrets.token_bytes(32)
    body = (4).to_bytes(4, "little")  # the offset of an empty list
    inner = header + (84).to_bytes(4, "little") + body
    attestation = vote(proposer, slot, (head_root or secrets.token_bytes(32), slot))[:136]
    message = (140).to_bytes(4, "little") + attestation + inner
    return (8).to_bytes(4, "little") + (8 + len(message)).to_bytes(4, "little") + message + secrets.token_bytes(
        SIGNATURE_BYTES)


def status(finalized, head):
    """SSZ of a Status; each is (root, slot)."""
    return b"".join(root + slot.to_bytes(8, "little") for root, slot in (finalized, head))


def missing():
    """The reason why hostile peers are not available; empty: they are."""
    return "" if PROGRAM.is_file() else f"{PROGRAM} was not built"


def _start(to, agent, own_status, *arguments, **options):
    """Runs at a low priority, because a real attacker would use another machine."""
    command = ["nice", "-n", "10", "setpriv", "--pdeathsig", "KILL", "--", PROGRAM, "--to", to, "--agent", agent,
               "--status", own_status.hex(), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)


class Attack:
    """An attack of the program, by its name, on the engine at `to`, IP:PORT."""

    def __init__(self, to, name, own_status, seconds, connections=1, from_many=False):
        self.name = name
        many = ("--from-many",) if from_many else ()
        self._process = _start(to, name, own_status, "attack", name, "--seconds", seconds, "--connections", connections,
                               *many, stdin=subprocess.DEVNULL)

    def done(self):
        """Waits for its end. Returns its results, {name: number}."""
        out, _ = self._process.communicate()
        if self._process.returncode != 0:
            raise RuntimeError(f"the attack {self.name} ended with {self._process.returncode}")
        return {name: int(count) for name, count in (word.split("=") for word in out.split())}

    def stop(self):
        self._process.kill()
        self._process.wait()


class RawPeer:
    """A peer that a test controls."""

    def __init__(self, to, agent, own_status):
        self.agent = agent
        self.asked = []  # (protocol, SSZ) of requests that came
        self.items = 0  # of gossip that came
        self.ended = threading.Event()
        self._answers = queue.Queue()
        self._connected = threading.Event()
        self._process = _start(to, agent, own_status, "obey", stdin=subprocess.PIPE)
        threading.Thread(target=self._read, daemon=True).start()
        wait_until(lambda: self._connected.is_set() or self.ended.is_set(), e2e.PATIENCE_S, f"{agent} to be connected")

    def gossip(self, kind, data):
        """Sends a message of `kind`, "block" or "attestation", whose content is `data`. False: the link has ended."""
        return self._say("gossip", kind, data.hex())

    def ask(self, protocol, ssz, timeout_s=30):
        """The bytes of the answer, or the text of an error."""
        self._say("ask", protocol, ssz.hex())
        answer = self._answers.get(timeout=timeout_s)
        return answer if answer.startswith("error") else bytes.fromhex(answer)

    def tell(self, own_status):
        """From now on it answers with this Status."""
        self._say("status", own_status.hex())

    def answer(self, *blocks):
        """From now on it answers every request for blocks with these."""
        self._say("blocks", *(block.hex() for block in blocks))

    def answer_nothing(self):
        self._say("silence")

    def _say(self, *words):
        if self.ended.is_set():
            return False
        try:
            self._process.stdin.write(" ".join(words) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return False
        return True

    def _read(self):
        for line in self._process.stdout:
            word, _, rest = line.rstrip("\n").partition(" ")
            if word == "connected":
                self._connected.set()
            elif word == "answered":
                self._answers.put(rest)
            elif word == "item":
                self.items += 1
            elif word == "asked":
                protocol, _, ssz = rest.partition(" ")
                self.asked.append((protocol, bytes.fromhex(ssz)))
        self.ended.set()

    def close(self):
        self._process.kill()
        self._process.communicate()
