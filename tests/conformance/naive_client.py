#!/usr/bin/python3
"""A validator client as one should not be: it signs whatever the beacon gives it, with signatures that are none, and
builds again when a submission fails. It shows that the kit's rules can fail."""

import sys
import threading
import time

from leanconformance import keys as key_list
from leanconformance.duty_client import DutyClient
from leanconformance.stubs import types

NO_SIGNATURE = bytes(3116)


class NaiveClient:
    def __init__(self, address, keys):
        self._client = DutyClient(address, timeout_s=10)
        self._keys = keys

    def run(self):
        spec = None
        while spec is None:
            spec, _ = self._client.get_duties([], 0)
            time.sleep(0.1)
        slot_s = spec.slot_duration_ms / 1000
        slot = max(0, int((time.time() - spec.genesis_time) // slot_s))
        while True:
            for interval, duty in ((0, self._propose), (1, self._vote)):
                time.sleep(max(0, spec.genesis_time + (slot + interval / 4) * slot_s - time.time()))
                threading.Thread(target=duty, args=(slot, spec.validator_count), daemon=True).start()
            slot += 1

    def _genesis(self):
        answer, _ = self._client.get_duties([], 0)
        return answer.genesis_block_root if answer else b""

    def _propose(self, slot, count):
        for _ in range(2):
            built, _ = self._client.build_block(slot, slot % count, self._genesis())
            if built is None:
                return
            block = types.SignedBlock(
                block=built.block, proposer_attestation=built.proposer_attestation,
                signatures=[*built.attestation_signatures, NO_SIGNATURE])
            if self._client.submit_block(block)[1] is None:
                return

    def _vote(self, slot, count):
        for _ in range(2):
            built, _ = self._client.build_vote(slot, self._genesis())
            if built is None:
                return
            votes = [
                types.SignedAttestation(
                    attestation=types.Attestation(validator_index=index, data=built.data), signature=NO_SIGNATURE)
                for index in self._keys if index != slot % count
            ]
            if self._client.submit_votes(votes)[1] is None:
                return


if __name__ == "__main__":
    NaiveClient(sys.argv[1], key_list.read_keys(sys.argv[2])).run()
