"""A history as data, and what an oracle says about it."""
import dataclasses
import itertools

from oracle import UNKNOWN

ZERO = "0" * 64
# In place of a block's number.
ZERO_NUMBER = -1
UNKNOWN_NUMBER = -2


@dataclasses.dataclass
class History:
    """Numbers instead of roots: blocks[0] is genesis, and -1 and -2 are the zero root and one that no block has.

    data:   [slot, head, its slot, target, its slot, source, its slot]: what validators vote for
    votes:  [validator, number of its data]
    blocks: [slot, parent, votes of the body, the proposer's vote]; genesis: []. Votes of the body are numbers too, each
            as its difference from the one before (the first: from 0), which takes less room
    events: ["t", interval since genesis], ["b", block] or ["v", vote], as one node sees them
    """
    validators: int
    data: list = dataclasses.field(default_factory=list)
    votes: list = dataclasses.field(default_factory=list)
    blocks: list = dataclasses.field(default_factory=lambda: [[]])
    events: list = dataclasses.field(default_factory=list)


class Clock:
    """What a Staker needs of its network, when it only listens."""
    time = 0

    def register_staker(self, staker):
        pass


class Replay:
    """The oracle's blocks and votes of a history."""

    def __init__(self, oracle, history):
        self.oracle = oracle
        genesis, self.genesis_state = oracle.genesis(history.validators)
        self.numbers = {ZERO: ZERO_NUMBER, UNKNOWN: UNKNOWN_NUMBER, None: ZERO_NUMBER}
        self.roots = {ZERO_NUMBER: ZERO, UNKNOWN_NUMBER: UNKNOWN}
        self.blocks, self.votes = [], [None] * len(history.votes)
        self._add(genesis)
        self.proposer_votes = [None]
        for slot, parent, body, proposer_vote in history.blocks[1:]:
            votes = [self._vote(history, number) for number in itertools.accumulate(body)]
            self._add(oracle.consensus.Block(slot=slot, parent=self.roots[parent], votes=votes))
            self.proposer_votes.append(self._vote(history, proposer_vote))
        for number in range(len(history.votes)):
            self._vote(history, number)

    def _add(self, block):
        root = self.oracle.finish(block)
        self.numbers[root] = len(self.blocks)
        self.roots[len(self.blocks)] = root
        self.blocks.append(block)

    def _vote(self, history, number):
        validator, data = history.votes[number]
        slot, head, head_slot, target, target_slot, source, source_slot = history.data[data]
        self.votes[number] = self.votes[number] or self.oracle.consensus.Vote(
            validator_id=validator, slot=slot, head=self.roots[head], head_slot=head_slot,
            target=self.roots[target], target_slot=target_slot, source=self.roots[source], source_slot=source_slot)
        return self.votes[number]


def describe(state, numbers):
    """[justified, its slot, finalized, its slot, justified slots, [[root voted for, its voters as bits], ...]]"""
    if state is None:
        return None
    return [numbers[state.latest_justified_hash], state.latest_justified_slot,
            numbers[state.latest_finalized_hash], state.latest_finalized_slot,
            [slot for slot, justified in enumerate(state.justified_slots) if justified],
            sorted([numbers[root], sum(1 << i for i, voted in enumerate(voters) if voted)]
                   for root, voters in state.justifications.items())]


def replay(oracle, history):
    """states: of each block after genesis, as `describe`; null for an invalid block and what builds on one.
    answers: after each event [accepted, heads that its ties allow, justified, finalized, safe target]."""
    data = Replay(oracle, history)
    states = [data.genesis_state]
    for block in data.blocks[1:]:
        parent = states[data.numbers[block.parent]]
        states.append(parent and oracle.post_state(parent, block))

    clock = Clock()
    node = oracle.Node(clock, history.validators)
    answers, heads = [], node.head_candidates()
    for kind, number in history.events:
        accepted = True
        if kind == "t":
            clock.time = number
            if number % 4 == 2:
                node.safe_target = node.compute_safe_target()
            elif number % 4 == 3:
                node.accept_new_votes()
        elif kind == "b":
            accepted = node.take_block(data.blocks[number], data.proposer_votes[number])
        else:
            accepted = node.take_vote(data.votes[number])
        if kind == "b" or number % 4 == 3:  # nothing else moves the head
            heads = node.head_candidates()
        answers.append([int(accepted), sorted(data.numbers[root] for root in heads),
                        data.numbers[node.latest_justified_hash], data.numbers[node.latest_finalized_hash],
                        data.numbers[node.safe_target]])
    return {"states": [describe(state, data.numbers) for state in states[1:]], "answers": answers}
