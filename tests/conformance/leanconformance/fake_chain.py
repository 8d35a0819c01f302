"""A chain that exists only as far as a validator client can see it: a head, checkpoints, votes for the next block."""

import hashlib

from leanconformance import ssz
from leanconformance.stubs import types


def invented_root(*parts):
    return hashlib.sha256(repr(parts).encode()).digest()


class FakeChain:
    """Not thread-safe. Builds what an honest beacon would build, and takes what a client submits."""

    def __init__(self, validator_count, seed, genesis_root=None):
        """Without `genesis_root` it has one that no genesis gives."""
        self.validator_count = validator_count
        self.genesis_root = genesis_root or invented_root(seed, "genesis")
        self.head = (self.genesis_root, 0)
        self.target = self.head
        self.source = self.head
        self._seed = seed
        self.blocks = {}  # root: block, of those that were imported
        self._votes = {}  # of the last slot that had some: validator: SignedAttestation

    def vote_data(self, slot):
        def checkpoint(pair):
            return types.Checkpoint(root=pair[0], slot=pair[1])

        return types.AttestationData(
            slot=slot, head=checkpoint(self.head), target=checkpoint(self.target), source=checkpoint(self.source))

    def block(self, slot):
        """(block, signatures of its votes, the proposer's vote)."""
        votes = [self._votes[index] for index in sorted(self._votes)]
        block = types.Block(
            slot=slot, proposer_index=slot % self.validator_count, parent_root=self.head[0],
            state_root=invented_root(self._seed, "state", slot), attestations=[vote.attestation for vote in votes])
        return block, [vote.signature for vote in votes], self.proposer_vote(block)

    def proposer_vote(self, block):
        data = self.vote_data(block.slot)
        data.head.root, data.head.slot = ssz.block_root(block), block.slot
        return types.Attestation(validator_index=block.proposer_index, data=data)

    def import_block(self, block):
        """The head moves, and the checkpoints follow: the target repeats in every second slot, as in real life."""
        self.blocks[ssz.block_root(block)] = block
        if block.slot <= self.head[1]:
            return
        before, self.head = self.head, (ssz.block_root(block), block.slot)
        if block.slot % 2 == 0:
            self.source, self.target = self.target, before

    def import_vote(self, vote):
        if self._votes and next(iter(self._votes.values())).attestation.data.slot != vote.attestation.data.slot:
            self._votes.clear()
        self._votes[vote.attestation.validator_index] = vote

    def reorganize(self, slot):
        """Another branch wins. Its votes surround those cast before: an older source, a newer target."""
        self.head = (invented_root(self._seed, "branch", slot), max(slot - 1, 0))
        self.target = self.head
        self.source = (self.genesis_root, 0)
        self._votes.clear()
