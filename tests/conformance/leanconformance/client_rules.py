"""What a validator client must do, whoever wrote it. Each rule is judged by what arrives at its beacon."""

RULES = {
    "one-root-a-leaf":
        "No validator ever signs two different votes of one slot: not when the beacon re-organizes, equivocates, loses "
        "answers, refuses or restarts, nor when the client itself is killed and started again within a slot. Signing "
        "twice with one leaf gives the key away.",
    "no-future-slot": "Nothing is signed for a slot that has not begun, whatever the beacon says.",
    "vote-checked":
        "Vote data is signed only if it is for the slot asked and source.slot <= target.slot <= head.slot <= slot, "
        "one block stands at one slot, and every root has 32 bytes.",
    "block-checked":
        "A block is signed only if it is of the slot and by the proposer asked, has a signature for each of its votes, "
        "and its proposer's vote is by that proposer, for that slot, with the block's own recomputed root as its head.",
    "late-answers": "What the beacon answers once the slot is over, is not signed.",
    "genesis-pinned": "A beacon that serves another genesis than before gets no signature.",
    "clock-checked": "A beacon whose clock is more than a slot away gets no signature.",
    "nothing-before-genesis": "Nothing is submitted before genesis.",
    "block-unchanged":
        "A submitted block is one that BuildBlock gave, with the signatures given for its votes in their order and the "
        "proposer's after them.",
    "vote-unchanged": "A submitted vote carries the data of a BuildVote answer for its slot.",
    "signature-size": "Every signature has 3116 bytes.",
    "signatures-verify":
        "Every signature is the validator's, by the leaf of its slot, over hash_tree_root of the vote (needs --verifier).",
    "votes-each-slot": "With an honest beacon every validator of the client votes in every slot, once.",
    "proposes": "With an honest beacon a validator of the client proposes in its slot, and its vote travels in the block.",
    "in-time":
        "Votes are cast from a quarter of the slot on and arrive before three quarters of it; blocks arrive in the "
        "first half. One in four may be late, since machines are busy.",
    "honest-votes-repeat":
        "Votes that repeat a target, or surround an earlier vote, are normal in this protocol and are signed.",
    "liveness-claims":
        "What GetLiveness claims and does not prove ends nothing and stops no duty: bare claims that others vote with the "
        "client's keys, votes with forged signatures, the client's own votes shown to it.",
    "second-client":
        "A vote that a second client has signed with one of the client's keys, once GetLiveness shows it, stops that key "
        "from the second slot after on, and no other key (needs --twin).",
    "recovers":
        "After the beacon was slow, wrong, away or restarted, duties resume by themselves within a few slots of honesty.",
    "ends": "SIGTERM ends the client within a minute.",
}

# Of a client that works with three beacons, one of which lies.
THREE_BEACONS = {
    "one-root-a-leaf": RULES["one-root-a-leaf"],
    "invented-blocks":
        "Nothing is signed whose head, target, source or parent only one of three beacons names.",
    "duties-go-on":
        "Every validator votes and proposes in its slot, and an honest beacon gets it, whatever one of three beacons claims, "
        "however late it answers, and whatever it does with what it is given.",
    "ends": RULES["ends"],
}
