"""Makes a history: views that propose and vote by the oracle, an adversary, and a node that only listens."""
import copy
import dataclasses

from history import History, ZERO
from oracle import UNKNOWN


@dataclasses.dataclass
class Setting:
    validators: tuple      # least, most
    views: int             # nodes that share the validators
    latency: int = 1       # of a message: up to so many intervals
    absent: float = 0.0    # chance that a validator misses a duty
    partition: float = 0.0  # chance of a slot to start a partition, if there is none
    repeat: float = 0.05   # chance that the listener gets an item once more
    strange: float = 0.1   # votes and blocks of the adversary in a slot, on average
    slots: int = 36        # of the longest histories


class World:
    def __init__(self, oracle, setting, rng):
        self.oracle, self.setting, self.rng = oracle, setting, rng
        self.time = 0
        self.n = rng.randint(*setting.validators)
        self.history = History(self.n)
        self.nodes = []
        self.views = [oracle.Node(self, self.n) for _ in range(setting.views)]
        self.listener = oracle.Node(self, self.n)
        genesis, state = oracle.genesis(self.n)
        root = oracle.consensus.compute_hash(genesis)
        self.numbers = {root: 0, ZERO: -1, UNKNOWN: -2}
        self.blocks, self.states = {root: genesis}, {root: state}
        self.proposer_votes = {}
        self.votes, self.vote_numbers, self.data_numbers = [], {}, {}
        self.queue = []      # (when, receiver, item)
        self.waiting = []    # items that the listener could not take yet
        self.groups, self.partition_end = {}, 0
        self.sender = None

    # What a Staker needs of its network.

    def register_staker(self, node):
        self.nodes.append(node)

    def submit(self, item, _validator):
        if self.sender and isinstance(item, self.oracle.consensus.Vote):
            self.add_vote(item)
            self.send(item, self.sender)

    # The history.

    def add_vote(self, vote):
        fields = tuple(vars(vote).values())
        if fields not in self.vote_numbers:
            self.vote_numbers[fields] = len(self.votes)
            self.votes.append(vote)
            data = (vote.slot, self.numbers[vote.head], vote.head_slot, self.numbers[vote.target], vote.target_slot,
                    self.numbers[vote.source], vote.source_slot)
            if data not in self.data_numbers:
                self.data_numbers[data] = len(self.history.data)
                self.history.data.append(data)
            self.history.votes.append([vote.validator_id, self.data_numbers[data]])
        return self.vote_numbers[fields]

    def add_block(self, block, make_vote):
        """False: it is there already. make_vote(root) makes the proposer's vote, which may name the block."""
        root = self.oracle.finish(block)
        if root in self.numbers:
            return False
        self.numbers[root] = len(self.numbers) - 2
        self.blocks[root] = block
        parent = self.states[block.parent]
        self.states[root] = parent and self.oracle.post_state(parent, block)
        self.proposer_votes[root] = make_vote(root)
        body = [self.add_vote(vote) for vote in block.votes]
        self.history.blocks.append([block.slot, self.numbers[block.parent],
                                    [number - before for before, number in zip([0, *body], body)],
                                    self.add_vote(self.proposer_votes[root])])
        return True

    # Messages.

    def send(self, item, sender):
        for node in self.nodes:
            if node is sender:
                continue
            when = self.time + self.rng.randint(0, self.setting.latency)
            if self.groups.get(id(node)) != self.groups.get(id(sender)):
                when = max(when, self.partition_end)
            self.queue.append((when, node, item))
            if node is self.listener and self.rng.random() < self.setting.repeat:
                self.queue.append((when + self.rng.randint(0, 12), node, item))

    def take(self, node, item):
        if isinstance(item, self.oracle.consensus.Vote):
            return node.take_vote(item)
        return node.take_block(item, self.proposer_votes[self.oracle.consensus.compute_hash(item)])

    def deliver(self, node, item):
        is_vote = isinstance(item, self.oracle.consensus.Vote)
        if node is self.listener:
            number = self.add_vote(item) if is_vote else self.numbers[self.oracle.consensus.compute_hash(item)]
            self.history.events.append(["v" if is_vote else "b", number])
        if not self.take(node, item):
            self.waiting.append((node, item))
        elif not is_vote:
            self.retry()

    def retry(self):
        for entry in list(self.waiting):
            node, item = entry
            root = None if isinstance(item, self.oracle.consensus.Vote) else self.oracle.consensus.compute_hash(item)
            passes = node.accepts(item, self.proposer_votes[root]) if root else node.vote_passes(item)
            if passes and entry in self.waiting:
                self.waiting.remove(entry)
                self.deliver(node, item)

    def deliver_due(self):
        due = [entry for entry in self.queue if entry[0] <= self.time]
        self.queue = [entry for entry in self.queue if entry[0] > self.time]
        self.rng.shuffle(due)
        for _, node, item in due:
            self.deliver(node, item)

    # Duties, by the oracle's own code.

    def propose(self, view, validator):
        view.accept_new_votes()
        before = set(view.chain)
        try:
            view.propose_block()
        except (IndexError, AssertionError):
            return  # a vote that it includes would make its block invalid
        # It enters the view like any other, with its proposer's vote.
        (root,) = set(view.chain) - before
        block = view.chain.pop(root)
        view.post_states.pop(root)

        view.validator_id = validator
        if self.add_block(block, lambda block_root: self.vote_above(view, block_root)):
            self.deliver(view, block)
            self.send(block, view)

    def vote_above(self, view, root):
        """The vote of the proposer: as it would be with the new block as the head, but never older than its source."""
        kept = view.head, view.new_votes
        view.chain[root], view.post_states[root], view.head = self.blocks[root], self.states[root], root
        view.new_votes = made = []
        self.sender = None
        try:
            view.vote()
        except (AssertionError, KeyError):
            pass
        view.head, view.new_votes = kept
        view.chain.pop(root)
        view.post_states.pop(root)
        state, slot = self.states[root], self.blocks[root].slot
        if made and made[0].target_slot >= made[0].source_slot:
            return made[0]
        checkpoint = state.latest_justified_hash, state.latest_justified_slot
        return self.oracle.consensus.Vote(view.validator_id, slot, root, slot, *checkpoint, *checkpoint)

    def vote(self, view, validator):
        view.validator_id, self.sender = validator, view
        try:
            view.vote()
        except (AssertionError, KeyError):
            pass  # it finds no target

    # The adversary.

    def strange_vote(self):
        rng, roots = self.rng, list(self.blocks)
        if self.votes and rng.random() < 0.6:
            vote = copy.copy(rng.choice(self.votes[-4 * self.n:]))
            vote.validator_id = rng.randrange(self.n)
        else:
            head, target, source = rng.choice(roots), rng.choice(roots[-12:]), rng.choice(roots)
            checkpoints = (x for root in (head, target, source) for x in (root, self.blocks[root].slot))
            vote = self.oracle.consensus.Vote(rng.randrange(self.n), self.time // 4, *checkpoints)
        change = rng.randrange(8)
        if change == 0:
            vote.slot += rng.randint(-3, 2)
        elif change == 1:
            vote.head = rng.choice([UNKNOWN, *roots])
        elif change == 2:
            vote.target = rng.choice([UNKNOWN, ZERO, *roots])
        elif change == 3:
            vote.source = rng.choice([UNKNOWN, ZERO, *roots])
        elif change == 4:
            vote.target_slot += rng.randint(-2, 3)
        elif change == 5:
            vote.source_slot += rng.randint(-2, 3)
        vote.slot, vote.target_slot, vote.source_slot = (
            max(0, x) for x in (vote.slot, vote.target_slot, vote.source_slot))
        return vote

    def votes_for_a_target(self, parent):
        """About two thirds of the votes for one slot of a chain, which may be empty, from a slot that it justified."""
        rng, state = self.rng, self.states[parent]
        history = state.historical_block_hashes + [parent]
        target = rng.randrange(max(0, len(history) - rng.choice([3, 8, 30])), len(history))
        sources = [slot for slot, justified in enumerate(state.justified_slots) if justified] or [0]
        source = rng.choice(sources[-2:])
        count = min(self.n, max(0, -(-2 * self.n // 3) + rng.randint(-1, 1)))
        return [self.oracle.consensus.Vote(validator, self.time // 4, parent, self.blocks[parent].slot, history[target],
                                           target, history[source], source)
                for validator in rng.sample(range(self.n), count)]

    def strange_block(self):
        rng, slot = self.rng, self.time // 4
        parents = [root for root in list(self.blocks)[-10:] if self.blocks[root].slot < slot and self.states[root]]
        if not parents:
            return
        parent = rng.choice(parents)
        votes = rng.sample(self.votes[-3 * self.n:], min(len(self.votes), rng.randint(0, self.n)))
        for _ in range(rng.choice([0, 1, 1, 2])):
            votes += self.votes_for_a_target(parent)
        if rng.random() < 0.3:
            votes.append(self.strange_vote())
        if rng.random() < 0.3:
            rng.shuffle(votes)
        block = self.oracle.consensus.Block(slot=slot, parent=parent, votes=votes)

        def make_vote(root):
            vote = self.strange_vote()
            vote.validator_id = slot % self.n
            if rng.random() < 0.7:
                vote.head, vote.head_slot = root, slot
            return vote

        if self.add_block(block, make_vote):
            self.send(block, None)

    def be_strange(self):
        while self.rng.random() < self.setting.strange / (1 + self.setting.strange):
            if self.rng.random() < 0.5:
                self.strange_block()
            else:
                vote = self.strange_vote()
                self.add_vote(vote)
                self.send(vote, None)

    # Time.

    def duties(self, interval):
        slot, setting, rng = self.time // 4, self.setting, self.rng
        present = [v for v in range(self.n) if rng.random() >= setting.absent]
        proposer = slot % self.n
        if interval == 0:
            if self.time >= self.partition_end and rng.random() < setting.partition:
                self.partition_end = self.time + rng.randint(4, 40)
                self.groups = {id(node): rng.randrange(2) for node in self.nodes}
            elif self.time >= self.partition_end:
                self.groups = {}
            if proposer in present:
                self.propose(self.views[proposer % len(self.views)], proposer)
        elif interval == 1:
            for validator in present:
                if validator != proposer:
                    self.vote(self.views[validator % len(self.views)], validator)

    def run(self):
        slots = self.setting.slots // self.rng.choice([1, 2, 2, 3, 3, 4])
        for self.time in range(4, 4 * (1 + slots)):
            interval = self.time % 4
            self.history.events.append(["t", self.time])
            for node in self.nodes:
                if interval == 2:
                    node.safe_target = node.compute_safe_target()
                elif interval == 3:
                    node.accept_new_votes()
            self.retry()
            self.duties(interval)
            self.be_strange()
            self.deliver_due()
        return self.history
