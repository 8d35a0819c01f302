"""What a beacon must answer, whoever wrote it."""

RULES = {
    "duties":
        "GetDuties answers for each key asked in order, tells known keys from unknown ones, and names proposer, genesis, "
        "spec and clock; current_slot follows from time_ms, and a key at index i is listed with i.",
    "duties-malformed": "A key that does not have 52 bytes, and more than 4096 keys, are MALFORMED_REQUEST.",
    "liveness":
        "GetLiveness answers for each index asked, in order, and is live only if a vote of from_slot or later was seen. "
        "An index beyond the registry, more than 4096 indices, a known root that does not have 32 bytes and more than 16384 "
        "known roots are MALFORMED_REQUEST. Votes are shown to those alone who ask for them.",
    "liveness-votes":
        "With show_votes, GetLiveness shows a vote that was submitted, as it was signed, unless its root is named as "
        "known (needs --signer).",
    "vote":
        "BuildVote's data is for the slot asked, its roots have 32 bytes, source.slot <= target.slot <= head.slot <= slot.",
    "block":
        "BuildBlock gives a block of the slot, by its proposer, with a parent and a signature of 3116 bytes for each of at "
        "most 4095 votes; the proposer's vote is by the proposer, for the slot, and its head is the block's "
        "hash_tree_root at the block's slot.",
    "block-header":
        "BuildBlock with header_only gives a header with the root that is the head of the proposer's vote, and keeps the "
        "block; or it gives the block.",
    "kept-block":
        "Of a beacon that keeps blocks: SubmitBlock with the root of a block that is not kept is BLOCK_NOT_KEPT; with a "
        "root or a signature of a wrong length, or with both forms of a block, it is MALFORMED_REQUEST.",
    "building-changes-nothing": "BuildBlock and BuildVote change nothing: the head, and what is built, stay as they were.",
    "malformed-root": "A genesis_block_root that does not have 32 bytes is MALFORMED_REQUEST, before any other reason.",
    "wrong-genesis": "Another genesis_block_root is WRONG_GENESIS, before any reason but MALFORMED_REQUEST.",
    "wrong-slot": "A slot that is not the current one is WRONG_SLOT; its metadata has `requested` and `current`.",
    "not-proposer": "A proposer_index that is not the slot's is NOT_PROPOSER, once the slot itself is right.",
    "submit-malformed":
        "A submission without its item, or with an item that lacks a sub-message or has a field of a wrong length, is "
        "MALFORMED_REQUEST; in a batch that vote alone is REFUSED as MALFORMED.",
    "submit-batch": "SubmitVotes takes 1 to 4096 votes, others are MALFORMED_REQUEST, and answers each in its place.",
    "unknown-validator": "A vote by an index outside the registry is REFUSED as UNKNOWN_VALIDATOR.",
    "bad-signature": "A vote or a block whose signature is not its signer's is REFUSED as BAD_SIGNATURE.",
    "far-future": "A vote or a block more than a slot ahead is REFUSED as FUTURE_SLOT.",
    "wrong-proposer": "A block by another than its slot's proposer is REFUSED as WRONG_PROPOSER.",
    "proposer-vote":
        "A block whose proposer's vote is by another validator, for another slot or another block is REFUSED as "
        "PROPOSER_VOTE_MISMATCH.",
    "refusals-change-nothing": "What was refused leaves no trace: the head is not one of the blocks refused.",
    "errors": "Every error carries a google.rpc.ErrorInfo of the domain lean.v1 with a reason, and the status code of it.",
    "serves-on": "After all of this the beacon still answers.",
    "accepts-votes": "Good votes are ACCEPTED, and again when the same bytes come again (needs --signer).",
    "accepts-block": "A good block is ACCEPTED, becomes the head, and is ALREADY_KNOWN the second time (needs --signer).",
    "includes-votes": "Votes that were accepted stand in a block that is built in the next slots (needs --signer).",
}
