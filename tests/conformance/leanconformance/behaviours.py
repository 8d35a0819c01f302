"""How the fake beacon behaves in a step of its script: honest, or wrong in exactly one way."""

import grpc

from leanconformance import ssz
from leanconformance.fake_chain import invented_root


class Honest:
    """The base of all: each hook changes an answer, or the answering, in one way."""

    name = "is honest"
    slots = 1
    poison = False  # nothing built in this step may be signed
    rule = None  # that a poisoned item breaks when it is signed
    refuse = False  # what is submitted is refused
    lose = False  # what is submitted is said to be taken, and lost
    deny = False  # no block is known

    def on_duties(self, answer):
        """Changes GetDuties' answer."""

    def on_vote(self, answer, slot):
        """Changes BuildVote's answer."""

    def on_block(self, answer, slot, chain):
        """Changes BuildBlock's answer."""

    def on_liveness(self, answer, request, slot, submissions):
        """Changes GetLiveness' answer. `submissions`: all votes that have arrived."""

    def delay_s(self, beacon, slot):
        """How long a build takes."""
        return 0

    def error(self, method):
        """(code, reason, message) to fail a call with, or None."""
        return None


class VoteLie(Honest):
    """BuildVote's answer is wrong in one field. Blocks are honest."""

    poison = True
    rule = "vote-checked"

    def __init__(self, name, change):
        self.name = f"builds a vote with {name}"
        self._change = change

    def on_vote(self, answer, slot):
        self._change(answer.data, slot)


class BlockLie(Honest):
    """BuildBlock's answer is wrong in one way; with `consistent`, its proposer's vote follows the change."""

    poison = True
    rule = "block-checked"

    def __init__(self, name, change, consistent=True):
        self.name = f"builds a block with {name}"
        self._change = change
        self._consistent = consistent

    def on_block(self, answer, slot, chain):
        self._change(answer, slot)
        if self._consistent:
            head = answer.proposer_attestation.data.head
            head.root, head.slot = ssz.block_root(answer.block), answer.block.slot


class Slow(Honest):
    name = "answers builds when the slot is over"
    poison = True
    rule = "late-answers"

    def delay_s(self, beacon, slot):
        return max(0, beacon.until(slot + 1)) + 0.05


class Hanging(Honest):
    name = "accepts calls and never answers"
    poison = True
    rule = "late-answers"

    def delay_s(self, beacon, slot):
        return 4 * beacon.slot_s


class OtherGenesis(Honest):
    name = "serves another genesis"
    slots = 2
    poison = True
    rule = "genesis-pinned"

    def __init__(self):
        self.root = invented_root("another genesis")


class ClockApart(Honest):
    name = "has a clock three slots ahead"
    slots = 2
    poison = True
    rule = "clock-checked"

    def __init__(self, slot_s):
        self._ahead_ms = int(3000 * slot_s)

    def on_duties(self, answer):
        answer.time_ms += self._ahead_ms
        answer.current_slot += 3

    def on_vote(self, answer, slot):
        answer.time_ms += self._ahead_ms

    def on_block(self, answer, slot, chain):
        answer.time_ms += self._ahead_ms


class Syncing(Honest):
    name = "is syncing"
    slots = 2

    def on_duties(self, answer):
        answer.synced = False

    def error(self, method):
        if method.startswith("Build"):
            return grpc.StatusCode.UNAVAILABLE, "SYNCING", "the beacon is behind"
        return None


class Overloaded(Honest):
    name = "is overloaded"

    def error(self, method):
        return grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED", "too many calls at once"


class Equivocating(Honest):
    """Every answer names another head, and submissions are taken but answered with an error: whoever tries again by
    building again would sign two messages with one leaf."""

    name = "equivocates, and loses the answers to submissions"
    slots = 3

    def __init__(self):
        self._count = 0

    def _another(self, *parts):
        self._count += 1
        return invented_root("equivocation", self._count, *parts)

    def on_vote(self, answer, slot):
        if answer.data.head.slot != answer.data.target.slot:
            answer.data.head.root = self._another(slot)

    def on_block(self, answer, slot, chain):
        answer.block.state_root = self._another(slot)
        answer.proposer_attestation.CopyFrom(chain.proposer_vote(answer.block))

    def error(self, method):
        if method.startswith("Submit"):
            return grpc.StatusCode.UNAVAILABLE, "SHUTTING_DOWN", "the answer is lost, the item may have been taken"
        return None


class Changing(Equivocating):
    """Every answer names another head; submissions are answered."""

    name = "builds something else at every call"
    slots = 2

    def error(self, method):
        return None


class Refusing(Honest):
    """Refuses what is submitted: that frees no leaf."""

    name = "refuses submissions"
    refuse = True


class InventedHead(Honest):
    name = "invents a head, and parents of blocks"
    slots = 2
    poison = True
    rule = "invented-blocks"

    def on_duties(self, answer):
        answer.head_slot = max(answer.current_slot, 0)

    def on_vote(self, answer, slot):
        answer.data.head.root, answer.data.head.slot = invented_root("head", slot), slot

    def on_block(self, answer, slot, chain):
        answer.block.parent_root = invented_root("parent", slot)
        answer.proposer_attestation.CopyFrom(chain.proposer_vote(answer.block))


class InventedSource(Honest):
    name = "invents sources of votes"
    slots = 2
    poison = True
    rule = "invented-blocks"

    def on_vote(self, answer, slot):
        answer.data.source.root = invented_root("source", slot)

    def on_block(self, answer, slot, chain):
        answer.proposer_attestation.data.source.root = invented_root("source", slot)


class AheadAndHanging(Hanging):
    """Its answers are honest, and come too late: they are what the others say, too."""

    name = "shows a head at the clock, and never answers a duty's calls"
    slots = 2
    poison = False
    rule = None

    def on_duties(self, answer):
        answer.head_slot = max(answer.current_slot, 0)


class Losing(Honest):
    name = "says that it took what is submitted, and loses it"
    slots = 2
    lose = True


class Denying(Honest):
    name = "knows no block"
    slots = 2
    deny = True


class Claiming(Honest):
    name = "claims that others vote with the client's keys"
    slots = 2

    def on_liveness(self, answer, request, slot, submissions):
        for validator in answer.validators:
            validator.live, validator.latest_vote_slot = True, slot + 1


class Forging(Claiming):
    """Votes that nobody has signed, as many as were asked for."""

    name = "shows votes with forged signatures"

    def on_liveness(self, answer, request, slot, submissions):
        super().on_liveness(answer, request, slot, submissions)
        for index, validator in zip(request.indices, answer.validators):
            root = invented_root("foreign", slot)
            for field in ("head", "target", "source"):
                checkpoint = getattr(validator.vote.attestation.data, field)
                checkpoint.root, checkpoint.slot = root, slot
            validator.vote.attestation.validator_index = index
            validator.vote.attestation.data.slot = slot
            validator.vote.signature = bytes(3116)


class Replaying(Claiming):
    """Votes that the client has signed itself, although it names their roots."""

    name = "shows the client's own votes"

    def on_liveness(self, answer, request, slot, submissions):
        super().on_liveness(answer, request, slot, submissions)
        own = {submission.vote.validator_index: submission for submission in submissions}
        for index, validator in zip(request.indices, answer.validators):
            if index in own:
                validator.vote.attestation.CopyFrom(own[index].vote)
                validator.vote.signature = own[index].signature


class Proving(Honest):
    """Shows one vote, signed by whom the client knows nothing of, to whoever asks for it."""

    name = "shows a vote that a second client has signed"
    slots = 5

    def __init__(self, vote):
        """`vote`: SignedAttestation."""
        self._vote = vote

    def on_liveness(self, answer, request, slot, submissions):
        vote = self._vote.attestation
        for index, validator in zip(request.indices, answer.validators):
            if index != vote.validator_index or vote.data.slot < request.from_slot:
                continue
            validator.live, validator.latest_vote_slot = True, max(validator.latest_vote_slot, vote.data.slot)
            if request.show_votes and ssz.attestation_root(vote) not in request.known_roots:
                validator.vote.CopyFrom(self._vote)


def _set(path, value):
    """A change that sets a field of an answer, say "head.slot", to value(slot)."""
    *parents, field = path.split(".")

    def change(message, slot):
        for parent in parents:
            message = getattr(message, parent)
        setattr(message, field, value(slot))

    return change


def _swap_target_and_source(data, slot):
    data.source.slot = slot
    data.head.slot = slot
    data.target.slot = slot - 1


def _one_block_two_slots(data, slot):
    data.target.root = data.head.root
    data.head.slot = slot
    data.target.slot = slot - 1
    data.source.slot = 0


def _no_head(data, slot):
    data.ClearField("head")


def _signature_too_many(answer, slot):
    answer.attestation_signatures.append(bytes(3116))


def _foreign_voter(answer, slot):
    answer.proposer_attestation.validator_index += 1


def lies():
    """One step each. In all of them the proposal or the votes of the slot are lost, whatever a client does."""
    return [
        VoteLie("the slot before", _set("slot", lambda slot: slot - 1)),
        VoteLie("the slot after", _set("slot", lambda slot: slot + 1)),
        VoteLie("a slot far ahead", _set("slot", lambda slot: slot + 1000)),
        VoteLie("a head past its slot", _set("head.slot", lambda slot: slot + 1)),
        VoteLie("a target past its head", _set("target.slot", lambda slot: slot + 1)),
        VoteLie("a source past its target", _swap_target_and_source),
        VoteLie("one block at two slots", _one_block_two_slots),
        VoteLie("a root of 31 bytes", _set("head.root", lambda slot: bytes([7]) * 31)),
        VoteLie("no head", _no_head),
        BlockLie("the slot after", _set("block.slot", lambda slot: slot + 1)),
        BlockLie("another proposer", _set("block.proposer_index", lambda slot: slot + 1)),
        BlockLie("the vote of another validator", _foreign_voter),
        BlockLie("a vote for another block", _set("proposer_attestation.data.head.root",
                                                  lambda slot: invented_root("not the block", slot)), consistent=False),
        BlockLie("a vote that has the block at another slot",
                 _set("proposer_attestation.data.head.slot", lambda slot: slot - 1), consistent=False),
        BlockLie("a vote for another slot", _set("proposer_attestation.data.slot", lambda slot: slot + 1)),
        BlockLie("a signature too many", _signature_too_many),
        BlockLie("a state root of 33 bytes", _set("block.state_root", lambda slot: bytes([7]) * 33)),
    ]
