"""hash_tree_root of the messages of types.proto (SSZ), written from the specification alone."""

import hashlib

LIST_LIMIT = 4096  # votes in a body: VALIDATOR_REGISTRY_LIMIT

_ZEROS = [bytes(32)]
for _ in range(64):
    _ZEROS.append(hashlib.sha256(_ZEROS[-1] * 2).digest())


def merkleize(chunks, limit=None):
    """Root of 32-byte chunks, padded with zeros to the power of two at or above `limit`."""
    depth = max((limit or len(chunks)) - 1, 0).bit_length()
    for level in range(depth):
        if len(chunks) % 2:
            chunks = [*chunks, _ZEROS[level]]
        chunks = [hashlib.sha256(a + b).digest() for a, b in zip(chunks[::2], chunks[1::2])]
    return chunks[0] if chunks else _ZEROS[depth]


def uint64(value):
    return value.to_bytes(8, "little") + bytes(24)


def checkpoint_root(checkpoint):
    return merkleize([checkpoint.root, uint64(checkpoint.slot)])


def data_root(data):
    return merkleize([uint64(data.slot), *map(checkpoint_root, (data.head, data.target, data.source))])


def attestation_root(attestation):
    """What a vote's signature signs."""
    return merkleize([uint64(attestation.validator_index), data_root(attestation.data)])


def block_root(block):
    votes = [attestation_root(vote) for vote in block.attestations]
    body = merkleize([merkleize(votes, LIST_LIMIT), uint64(len(votes))])
    return merkleize([uint64(block.slot), uint64(block.proposer_index), block.parent_root, block.state_root, body])
