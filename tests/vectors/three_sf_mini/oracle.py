"""3sf-mini (consensus.py, p2p.py) with the rules of leanSpec that differ from it, each behind its own name in RULES."""
import dataclasses
import pathlib
import sys
import types

# Name: the file, what is replaced in it, and by what. README.md has the reasons.
PATCHES = {
    "genesis_slot": [("consensus", "block.parent)\n    state.justified_slots.append(False)",
                      "block.parent)\n    state.justified_slots.append(not state.justified_slots)")],
    "zero_root": [("consensus", "append(None)", "append(ZERO_HASH)")],
    "threshold": [("consensus", "count == (2 * state.config.num_validators) // 3",
                   "3 * count >= 2 * state.config.num_validators")],
    "justified_once": [("consensus", "state.justified_slots[vote.source_slot] is False",
                        "state.justified_slots[vote.source_slot] is False\n"
                        "            or state.justified_slots[vote.target_slot]")],
    "finalized_at_start": [("consensus", "# Process votes", "finalized_slot = state.latest_finalized_slot"),
                           ("consensus", "is_justifiable_slot(state.latest_finalized_slot",
                            "is_justifiable_slot(finalized_slot")],
    "safe_threshold": [("p2p", "self.num_validators * 2 // 3", "-(-self.num_validators * 2 // 3)")],
}
# Rules of the store, in Node below.
STORE_RULES = ["checks", "first_of_equals", "accept_overwrites", "body_vote_leaves_pending", "known_is_pending_again",
               "highest_finalized"]
RULES = frozenset(PATCHES) | frozenset(STORE_RULES)
# No block: the root of a block that nobody has.
UNKNOWN = "f" * 64


class Oracle:
    """The modules `consensus` and `p2p` of the given folder under the given rules."""

    def __init__(self, folder, rules=RULES):
        self.rules = rules
        self.consensus = self._load(folder, "consensus")
        sys.modules["consensus"] = self.consensus  # for p2p's import
        self.p2p = self._load(folder, "p2p")
        del sys.modules["consensus"]
        self._make_faster()
        self._genesis = {}
        self.Node = node_class(self)

    def _load(self, folder, name):
        text = (pathlib.Path(folder) / f"{name}.py").read_text()
        for rule in self.rules & PATCHES.keys():
            for file, old, new in PATCHES[rule]:
                if file != name:
                    continue
                if old not in text:
                    raise ValueError(f"{name}.py has no {old!r}: it is another version than the README's")
                text = text.replace(old, new)
        module = types.ModuleType(name)
        sys.modules[name] = module  # dataclasses look their module up
        exec(compile(text, f"{name}.py", "exec"), module.__dict__)
        return module

    def _make_faster(self):
        """Nodes share states, which are values, and a block that is complete has its root and post-states once."""
        compute_hash, process_block = self.consensus.compute_hash, self.consensus.process_block

        def copy_state(state):
            return dataclasses.replace(state, historical_block_hashes=list(state.historical_block_hashes),
                                       justified_slots=list(state.justified_slots),
                                       justifications={root: list(v) for root, v in state.justifications.items()})

        def cached_hash(item):
            if isinstance(item, self.consensus.State):
                return None  # only for Block.state_root, which stays out of this: it would depend on the rules
            return getattr(item, "root", None) or compute_hash(item)

        def cached_process_block(state, block):
            if not hasattr(block, "root"):
                return process_block(state, block)
            if id(state) not in block.post_states:
                block.post_states[id(state)] = process_block(state, block)
            return block.post_states[id(state)]

        self.consensus.copy = types.SimpleNamespace(deepcopy=copy_state)
        self.p2p.copy = types.SimpleNamespace(deepcopy=lambda state: state)
        self.consensus.compute_hash = self.p2p.compute_hash = cached_hash
        self.consensus.process_block = self.p2p.process_block = cached_process_block

    def finish(self, block):
        """Its root, once nothing of the block changes any more."""
        block.root, block.post_states = self.consensus.compute_hash(block), {}
        return block.root

    def genesis(self, validators):
        if validators not in self._genesis:
            self._genesis[validators] = self._make_genesis(validators)
        return self._genesis[validators]

    def _make_genesis(self, validators):
        block = self.consensus.Block(slot=0, parent=None)
        root = self.finish(block)
        state = self.consensus.State(config=self.consensus.Config(num_validators=validators),
                                     latest_justified_hash=root, latest_justified_slot=0,
                                     latest_finalized_hash=root, latest_finalized_slot=0)
        return block, state

    def post_state(self, state, block):
        """None: the block is invalid. The oracle's lists and its assertion refuse by an exception."""
        try:
            return self.consensus.process_block(state, block)
        except (IndexError, AssertionError):
            return None


def node_class(oracle):
    has = oracle.rules.__contains__

    class Votes(list):
        """The latest vote of each validator: of older ones neither the oracle's fork choice nor leanSpec's sees any."""

        def append(self, vote):
            for i, old in enumerate(self):
                if old.validator_id == vote.validator_id:
                    if old.slot < vote.slot or (old.slot == vote.slot and not has("first_of_equals")):
                        self[i] = vote
                    return
            super().append(vote)

        def replace(self, vote):
            self[:] = [old for old in self if old.validator_id != vote.validator_id]
            super().append(vote)

        def __contains__(self, vote):
            return not has("known_is_pending_again") and super().__contains__(vote)

    class Node(oracle.p2p.Staker):
        """A staker that speaks for any number of validators. `world` gives the time and sends what it makes."""

        def __init__(self, world, validators):
            super().__init__(0, world, *oracle.genesis(validators))
            self.known_votes, self.new_votes = Votes(), Votes()
            self.safe_target = self.genesis_hash

        def get_current_slot(self):
            return self.network.time // 4

        @property
        def latest_finalized_hash(self):
            if not has("highest_finalized"):
                return super().latest_finalized_hash
            return max(self.post_states.values(), key=lambda state: state.latest_finalized_slot).latest_finalized_hash

        def accept_new_votes(self):
            for vote in self.new_votes:
                (self.known_votes.replace if has("accept_overwrites") else self.known_votes.append)(vote)
            self.new_votes = Votes()
            self.recompute_head()

        def vote_passes(self, vote, block_root=None, block_slot=None, early=0):
            """leanSpec's validate_attestation. The proposer's vote may name the block that it comes with."""
            if not has("checks"):
                return vote.head in self.chain or vote.head == block_root

            def slot_of(root):
                return block_slot if root == block_root else self.chain[root].slot if root in self.chain else None

            return (vote.source_slot <= vote.target_slot and slot_of(vote.source) == vote.source_slot
                    and slot_of(vote.target) == vote.target_slot and slot_of(vote.head) is not None
                    and vote.slot <= self.get_current_slot() + early)

        def accepts(self, block, proposer_vote):
            """Whether the block enters the chain. All its votes have to pass; a parent that is not there is not waited
            for here."""
            if block.parent not in self.chain:
                return False
            root = oracle.consensus.compute_hash(block)
            if has("checks") and not all(self.vote_passes(vote, early=1) for vote in block.votes):
                return False
            return (self.vote_passes(proposer_vote, root, block.slot)
                    and oracle.post_state(self.post_states[block.parent], block) is not None)

        def take_block(self, block, proposer_vote):
            """False: refused. leanSpec's block carries its proposer's vote, which then waits like one from gossip."""
            if oracle.consensus.compute_hash(block) in self.chain:
                return True
            if not self.accepts(block, proposer_vote):
                return False
            self.receive(block)
            for vote in block.votes if has("body_vote_leaves_pending") else ():
                self.new_votes[:] = [old for old in self.new_votes
                                     if old.validator_id != vote.validator_id or old.slot > vote.slot]
            self.receive(proposer_vote)
            return True

        def take_vote(self, vote):
            """False: refused."""
            if not self.vote_passes(vote):
                return False
            self.receive(vote)
            return True

        def head_candidates(self):
            """All heads that the walk can end at, whichever of equally heavy children it takes."""
            root = self.latest_justified_hash
            weights = {}
            for vote in self.known_votes:
                block = vote.head
                while block in self.chain and self.chain[block].slot > self.chain[root].slot:
                    weights[block] = weights.get(block, 0) + 1
                    block = self.chain[block].parent
            children = {}
            for block_root, block in self.chain.items():
                children.setdefault(block.parent, []).append(block_root)
            ends, todo = [], [root]
            while todo:
                above = children.get(todo[-1], [])
                end = todo.pop()
                most = max((weights.get(child, 0) for child in above), default=0)
                todo += [child for child in above if weights.get(child, 0) == most]
                ends += [] if above else [end]
            assert self.head in ends, "this walk is not the oracle's"
            return ends

    return Node
