"""hash_tree_root of the messages of types.proto and of a genesis (SSZ), written from the specification alone."""

import hashlib

LIST_LIMIT = 4096  # votes in a body, and validators: VALIDATOR_REGISTRY_LIMIT
SLOTS_LIMIT = 1 << 18  # HISTORICAL_ROOTS_LIMIT

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


def list_root(roots, limit):
    return merkleize([merkleize(roots, limit), uint64(len(roots))])


def checkpoint_root(checkpoint):
    return merkleize([checkpoint.root, uint64(checkpoint.slot)])


def data_root(data):
    return merkleize([uint64(data.slot), *map(checkpoint_root, (data.head, data.target, data.source))])


def attestation_root(attestation):
    """What a vote's signature signs."""
    return merkleize([uint64(attestation.validator_index), data_root(attestation.data)])


def body_root(block):
    votes = [attestation_root(vote) for vote in block.attestations]
    return list_root(votes, LIST_LIMIT)


def block_root(block):
    return merkleize([
        uint64(block.slot), uint64(block.proposer_index), block.parent_root, block.state_root, body_root(block)])


def header_root(header):
    """The same as the block's."""
    return merkleize([
        uint64(header.slot), uint64(header.proposer_index), header.parent_root, header.state_root, header.body_root])


def bitlist_root_of_none(limit):
    return list_root([], limit // 256)


def validator_root(index, pubkey):
    padded = pubkey + bytes(-len(pubkey) % 32)
    return merkleize([merkleize([padded[i:i + 32] for i in range(0, len(padded), 32)]), uint64(index)])


def genesis_state_root(genesis_time, pubkeys):
    """Of the state at slot 0: a time in Unix seconds, and the validators' keys by index."""
    checkpoint = merkleize([bytes(32), uint64(0)])
    body = list_root([], LIST_LIMIT)
    header = merkleize([uint64(0), uint64(0), bytes(32), bytes(32), body])
    return merkleize([
        uint64(genesis_time), uint64(0), header, checkpoint, checkpoint, list_root([], SLOTS_LIMIT),
        bitlist_root_of_none(SLOTS_LIMIT),
        list_root([validator_root(index, pubkey) for index, pubkey in enumerate(pubkeys)], LIST_LIMIT),
        list_root([], SLOTS_LIMIT), bitlist_root_of_none(SLOTS_LIMIT * LIST_LIMIT)])


def genesis_block_root(genesis_time, pubkeys):
    """What names a network."""
    body = list_root([], LIST_LIMIT)
    return merkleize([uint64(0), uint64(0), bytes(32), genesis_state_root(genesis_time, pubkeys), body])
