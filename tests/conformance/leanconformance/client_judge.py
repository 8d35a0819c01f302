"""Runs a validator client against the fake beacon, step by step, and judges what it did."""

import os
import shlex
import signal
import subprocess
import time

from leanconformance import behaviours, keys as key_list, ssz
from leanconformance.client_rules import RULES
from leanconformance.fake_beacon import FakeBeacon, registry_of
from leanconformance.fake_chain import FakeChain, invented_root
from leanconformance.remote_signer import RemoteSigner, SignerFailed
from leanconformance.report import Report
from leanconformance.stubs import types

SIGNATURE_BYTES = 3116
# Of the machine that runs both: clocks are the same, so only scheduling.
TOLERANCE_S = 0.05
END_S = 60
GENESIS_DELAY_S = 4


class Client:
    """The client's process, started again at will."""

    def __init__(self, command, log_path):
        self._command = command
        self._log = open(log_path, "ab")
        self._child = None

    def start(self):
        self._child = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT, start_new_session=True)

    def running(self):
        return self._child is not None and self._child.poll() is None

    def kill(self):
        """Its whole group, as the client may be a script that started others."""
        if self._child is not None:
            try:
                os.killpg(self._child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self._child.wait()

    def terminate(self):
        """Whether it ended in time, upon SIGTERM."""
        self._child.send_signal(signal.SIGTERM)
        try:
            self._child.wait(END_S)
            return True
        except subprocess.TimeoutExpired:
            return False

    def close(self):
        self.kill()
        self._log.close()


def start_beacons(count, keys, options):
    """Starts fake beacons on one chain, whose genesis has these keys."""
    genesis_time = options.genesis_time or int(time.time()) + GENESIS_DELAY_S
    chain = FakeChain(max(keys) + 1, os.urandom(8).hex(), ssz.genesis_block_root(genesis_time, registry_of(keys)))
    beacons = [
        FakeBeacon(chain, keys, genesis_time, options.slot_ms / 1000, options.xmss_log_lifetime) for _ in range(count)
    ]
    for beacon in beacons:
        beacon.lock = beacons[0].lock  # of the chain that they have in common
        beacon.start()
    return beacons


def client_of(command, placeholder, beacons, options):
    """The client of a command: the addresses of the beacons and the root of their genesis stand where it names them."""
    values = {
        placeholder: ",".join(beacon.address for beacon in beacons),
        "{genesis_root}": "0x" + beacons[0].chain.genesis_root.hex(),
    }
    for name, value in values.items():
        command = [part.replace(name, value) for part in command]
    return Client(command, options.log)


class ClientJudge:
    """One run of the whole script."""

    def __init__(self, command, keys, options, say):
        """`command`: of the client, with {beacon} in the place of the beacon's HOST:PORT and {genesis_root} in that of the
        genesis block's root. `say`: takes progress lines."""
        self.report = Report(RULES)
        self._keys = keys
        self._options = options
        self._say = say
        self._beacon, = start_beacons(1, keys, options)
        self._client = client_of(command, "{beacon}", [self._beacon], options)
        self._honest_slots = []  # judged for duties done
        self._forgiven = None  # the one of them that may be lost

    def run(self):
        try:
            self._client.start()
            self._script()
            self.report.check("ends", self._client.terminate(), f"it still ran {END_S} s after SIGTERM")
        finally:
            self._client.close()
            self._beacon.stop()
        self._judge()
        return self.report

    # The script.

    def _script(self):
        self._wait_until(0, 0)
        if not self._recover("the start", self._options.startup_slots):
            return
        self._honest(4)
        self._surround()
        for behaviour in behaviours.lies():
            if behaviour.rule == "block-checked":
                self._wait_for_proposal()
            self._step(behaviour)
        for behaviour in (
                behaviours.Slow(), behaviours.Hanging(), behaviours.Overloaded(), behaviours.Syncing(),
                behaviours.ClockApart(self._beacon.slot_s), behaviours.Equivocating(), behaviours.Refusing()):
            self._step(behaviour)
        self._other_genesis()
        for behaviour in (behaviours.Claiming(), behaviours.Forging(), behaviours.Replaying()):
            self._lie_about_liveness(behaviour)
        self._restart_beacon()
        for _ in range(self._options.kills):
            self._kill_client()
        self._honest(2)
        if self._options.twin:
            self._show_second_client(RemoteSigner(self._options.twin))

    def _step(self, behaviour):
        """One behaviour from interval 3 on, where duties of the next slot are prepared, and the way back."""
        slot = self._next_slot()
        self._become(behaviour)
        self._wait_until(slot + behaviour.slots - 1, 3)
        self._become(behaviours.Honest())
        if behaviour.rule is not None:
            self.report.passed(behaviour.rule)
        self._recover(f"the beacon {behaviour.name}")

    def _other_genesis(self):
        root = self._beacon.chain.genesis_root
        behaviour = behaviours.OtherGenesis()
        slot = self._next_slot()
        self._become(behaviour)
        # All calls are about the other chain, and would be served.
        self._beacon.chain.genesis_root = behaviour.root
        self._wait_until(slot + behaviour.slots - 1, 3)
        self._beacon.chain.genesis_root = root
        self._become(behaviours.Honest())
        self.report.passed(behaviour.rule)
        self._recover(f"the beacon {behaviour.name}")

    def _lie_about_liveness(self, behaviour, limit=6):
        """Nothing is proved by it, so duties go on, if not in each slot of a busy machine."""
        slot = self._next_slot()
        self._become(behaviour)
        done = 0
        for number in range(limit):
            self._wait_until(slot + number, 3)
            done += self._voters(slot + number) == set(self._keys)
            if done > 0 and number + 1 >= behaviour.slots:
                break
        self._become(behaviours.Honest())
        self.report.check("liveness-claims", done > 0, f"the beacon {behaviour.name}: no full set of votes in "
                          f"{limit} slots")
        self._recover(f"the beacon {behaviour.name}")

    def _show_second_client(self, twin):
        """The last step, since the key stays stopped."""
        index = max(self._keys)
        slot = self._next_slot()
        self._wait_until(slot, 1)
        with self._beacon.lock:
            data = self._beacon.chain.vote_data(slot)
        data.head.root, data.head.slot = invented_root("head of the second client", slot), slot
        vote = types.Attestation(validator_index=index, data=data)
        try:
            result = twin.sign_votes(slot, [(self._keys[index], vote)], self._beacon.slot_s)[0]
        except SignerFailed as error:
            self.report.failed("second-client", f"nothing to show: {error}")
            return
        if not self.report.check("second-client", not result.reason, f"nothing to show: {result.reason} {result.message}"):
            return
        behaviour = behaviours.Proving(types.SignedAttestation(attestation=vote, signature=result.signature))
        self._become(behaviour)
        self._wait_until(slot + behaviour.slots, 3)
        later = range(slot + 2, slot + behaviour.slots + 1)
        self.report.check("second-client", not any(index in self._voters(number) for number in later),
                          f"validator {index} still signed after its vote of slot {slot}, by another client, was shown")
        others = set(self._keys) - {index}
        self.report.check("second-client", any(others <= self._voters(number) for number in later),
                          f"the votes of {sorted(others)} ended with those of validator {index}")
        self._become(behaviours.Honest())

    def _surround(self):
        """Repeated targets, and a branch whose votes surround those before: signed all the same."""
        done = 0
        for _ in range(3):
            slot = self._next_slot()
            with self._beacon.lock:
                self._beacon.chain.reorganize(slot)
            self._wait_until(slot, 3)
            done += self._voters(slot) == set(self._keys)
        self.report.check("honest-votes-repeat", done >= 1, "no full set of votes in three slots of surrounding votes")

    def _restart_beacon(self):
        self._say("step: the beacon goes away for two slots and comes back")
        slot = self._next_slot()
        self._beacon.stop()
        self._wait_until(slot + 1, 3)
        self._beacon.start()
        self._recover("restarting")

    def _kill_client(self):
        """Killed as soon as something it signed for the slot has arrived, and started again at once; meanwhile the beacon
        builds something else for the same slot."""
        self._say("step: the client is killed right after it signed, and started again")
        slot = self._next_slot()
        self._become(behaviours.Changing())
        self._wait_until(slot, 0)
        while not self._voters(slot) and self._beacon.until(slot + 1) > 0:
            time.sleep(0.002)
        self._client.kill()
        with self._beacon.lock:
            self._beacon.chain.reorganize(slot)
        self._client.start()
        self._wait_until(slot + 1, 3)
        self._become(behaviours.Honest())
        self._recover("killing the client", self._options.startup_slots)

    def _honest(self, slots):
        for _ in range(slots):
            slot = self._next_slot()
            self._wait_until(slot, 3)
            self._honest_slots.append(slot)

    def _recover(self, what, limit=6):
        """Waits for a slot in which all validators vote. False when there was none."""
        for _ in range(limit):
            slot = self._next_slot()
            self._wait_until(slot, 3)
            if self._voters(slot) == set(self._keys):
                self.report.passed("recovers")
                return True
            if not self._client.running():
                self.report.failed("recovers", f"{what}: the client has ended; see {self._options.log}")
                return False
        self.report.failed("recovers", f"{what}: {limit} slots of honesty without a full set of votes")
        return False

    def _wait_for_proposal(self):
        """Until the next slot has a proposer of the client's."""
        while (self._next_slot() % self._beacon.chain.validator_count) not in self._keys:
            self._wait_until(self._next_slot(), 3)

    def _become(self, behaviour):
        if type(behaviour) is not behaviours.Honest:
            self._say(f"step: the beacon {behaviour.name}")
        with self._beacon.lock:
            self._beacon.behaviour = behaviour

    def _next_slot(self):
        """The slot after the current one. Called right after an interval 3 has begun."""
        return self._beacon.now()[0] + 1

    def _wait_until(self, slot, interval):
        left = self._beacon.until(slot, interval)
        if left > 0:
            time.sleep(left)

    def _voters(self, slot):
        with self._beacon.lock:
            return {s.vote.validator_index for s in self._beacon.calls.submissions if s.slot == slot}

    # The judgement, of all that arrived.

    def _judge(self):
        submissions = self._beacon.calls.submissions
        for submission in submissions:
            self._judge_one(submission)
        self._judge_leaves(submissions)
        self._judge_duties(submissions)
        self._judge_signatures(submissions)
        if self._beacon.calls.votes_built:
            self.report.check("nothing-before-genesis",
                              all(s.time >= self._beacon.genesis_time - TOLERANCE_S for s in submissions),
                              "something arrived before genesis")

    def _judge_one(self, submission):
        who = f"validator {submission.vote.validator_index}, slot {submission.slot} (the beacon: {submission.step})"
        begins = self._beacon.genesis_time + submission.slot * self._beacon.slot_s
        self.report.check("no-future-slot", submission.time >= begins - TOLERANCE_S, f"{who}: signed before it began")
        self.report.check("signature-size", len(submission.signature) == SIGNATURE_BYTES,
                          f"{who}: {len(submission.signature)} bytes")
        behaviour = self._beacon.calls.poisoned.get(ssz.attestation_root(submission.vote))
        if behaviour is not None:
            self.report.failed(behaviour.rule, f"{who}: signed what the beacon said when: {behaviour.name}")
        if submission.block is not None:
            built = self._beacon.calls.built_blocks.get(submission.slot, ())
            self.report.check("block-unchanged", any(_is_built(submission.block, answer) for answer in built), who)
        elif not any(submission.vote == answer.proposer_attestation
                     for answer in self._beacon.calls.built_blocks.get(submission.slot, ())):
            built = self._beacon.calls.votes_built.get(submission.slot, ())
            self.report.check("vote-unchanged", submission.vote.data.SerializeToString() in built, who)

    def _judge_leaves(self, submissions):
        signed = {}
        for submission in submissions:
            leaf = (submission.vote.validator_index, submission.slot)
            signed.setdefault(leaf, set()).add(ssz.attestation_root(submission.vote))
        for (validator, slot), roots in signed.items():
            self.report.check("one-root-a-leaf", len(roots) == 1,
                              f"validator {validator} signed {len(roots)} different votes of slot {slot}")

    def _judge_duties(self, submissions):
        late = 0
        for slot in self._honest_slots:
            of_slot = [s for s in submissions if s.slot == slot]
            voters = {s.vote.validator_index for s in of_slot}
            missing = sorted(set(self._keys) - voters)
            self.report.check("votes-each-slot", not missing or self._is_one_off(slot), f"slot {slot}: no vote of {missing}")
            proposer = slot % self._beacon.chain.validator_count
            if proposer in self._keys:
                proposed = any(s.block is not None for s in of_slot)
                self.report.check("proposes", proposed or self._is_one_off(slot), f"slot {slot}: no block of {proposer}")
            begins = self._beacon.genesis_time + slot * self._beacon.slot_s
            late += not all(self._in_time(s, begins) for s in of_slot)
        if self._honest_slots:
            self.report.check("in-time", late * 4 <= len(self._honest_slots),
                              f"{late} of {len(self._honest_slots)} honest slots had something early or late")

    def _is_one_off(self, slot):
        """A single slot of all honest ones may be lost to a busy machine."""
        if self._forgiven is None:
            self._forgiven = slot
        return self._forgiven == slot

    def _in_time(self, submission, begins):
        into = (submission.time - begins) / self._beacon.slot_s
        if submission.block is not None:
            return into <= 0.5
        return 0.25 - TOLERANCE_S / self._beacon.slot_s <= into <= 0.75

    def _judge_signatures(self, submissions):
        if self._options.verifier is None:
            return
        items = [(self._keys[s.vote.validator_index], s.slot, ssz.attestation_root(s.vote), s.signature)
                 for s in submissions if s.vote.validator_index in self._keys]
        if items:
            answers = key_list.verify(shlex.split(self._options.verifier), items)
            for item, answer in zip(items, answers):
                self.report.check("signatures-verify", answer == "ok", f"slot {item[1]}: {answer}")


def _is_built(signed, answer):
    return (signed.block == answer.block and signed.proposer_attestation == answer.proposer_attestation
            and list(signed.signatures[:-1]) == list(answer.attestation_signatures))

