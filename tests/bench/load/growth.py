#!/usr/bin/python3
"""How the costs of a beacon grow with the number of validators: processor time of a slot, and bytes written to the disk.
Beside each is its floor in the same run: the signatures of the votes alone, on one thread, and the bytes of the block.

In each network all validators vote in every slot. The beacon has its network engine (lean-p2p), if that was built, but
no peers.
"""

import voted_network
from leandev import engine

SIGNATURE_BYTES = 3116
ATTESTATION_BYTES = 136
SLOTS_BETWEEN = 4


def measure(options, validators):
    """One network. Returns its figures."""
    with_engine = engine.program(options.build_dir).is_file()
    made = voted_network.VotedNetwork(
        options.build_dir, options.dir, validators, options.slot_ms, 2 * (options.slots + SLOTS_BETWEEN),
        beacons=2 if with_engine else 1)
    try:
        made.start()
        steps = made.vote_steps(options.build_dir, options.slots)
        votes = steps["votes"]
        body = validators * (SIGNATURE_BYTES + ATTESTATION_BYTES)
        return {
            "validators": validators,
            "cpu_s_slot": votes["cpu_s_slot"],
            "cpu_s_slot_without_votes": steps["nothing"]["cpu_s_slot"],
            "signatures_s_slot": votes["floor_s_slot"] / made.share_of_voters,
            "body_bytes": body,
            "written_bytes_slot": votes["written_bytes_slot"],
            "engine": with_engine,
            "errors": votes["errors"],
        }
    finally:
        made.stop()


def table_line(figures):
    return (f"{figures['validators']:>10} {figures['cpu_s_slot']:>9.3f} s {figures['signatures_s_slot']:>9.3f} s "
            f"{figures['cpu_s_slot'] / figures['signatures_s_slot']:>6.1f} {figures['body_bytes'] / 1e6:>8.2f} MB "
            f"{figures['written_bytes_slot'] / 1e6:>8.2f} MB "
            f"{figures['written_bytes_slot'] / figures['body_bytes']:>7.2f}"
            f"{'  ' + str(figures['errors']) if figures['errors'] else ''}")


if __name__ == "__main__":
    voted_network.measure_sizes(
        __doc__, measure, f"{'validators':>10} {'CPU/slot':>11} {'signatures':>11} {'ratio':>6} {'body':>11} {'written':>11} "
        f"{'ratio':>7}", table_line, sizes=[4, 64, 512, 2048, 4096], slots=8)
