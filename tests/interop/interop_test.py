"""Runs another team's client beside a node of ours until both have finalized together: see README.md.

Exit code 0: they have; 1: they have not; 77: there is nothing to run, and the reason is printed.
"""

import os
import pathlib
import shlex
import shutil
import sys
import tempfile
import time

import e2e
import grpc
from genesis import make_genesis, make_keys, make_nodes
from leandev.processes import Process
from leandev.rpc import BeaconRpc
from own_node import OwnNode

def setting(name, default):
    """A number of the environment."""
    return int(os.environ.get(name, default))


class Failure(Exception):
    """Why they have not finalized together."""


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


class Interop:
    """One run of both."""

    def __init__(self, folder):
        self._folder = folder
        self._slots = setting("LEAN_INTEROP_SLOTS", 8)
        self._slot_ms = setting("LEAN_INTEROP_SLOT_MS", 4000)
        log_lifetime = setting("LEAN_INTEROP_XMSS_LOG_LIFETIME", 32)
        delay_s = setting("LEAN_INTEROP_GENESIS_DELAY", 30)
        validators = setting("LEAN_INTEROP_VALIDATORS", 4)
        names = ("ours_0", os.environ.get("LEAN_OTHER_NODE_ID", "other_0"))
        keys = folder / "hash-sig-keys"
        if "LEAN_OTHER_KEYS" in os.environ:
            shutil.copytree(os.environ["LEAN_OTHER_KEYS"], keys)
        else:
            print(f"making the keys of {validators} validators, lifetime 2^{log_lifetime}", flush=True)
            make_keys(e2e.BUILD_DIR, folder, validators, log_lifetime, setting("LEAN_INTEROP_ACTIVE_SLOTS", 1024))
        self._ours, self._theirs = make_nodes(names, validators)
        self._genesis = make_genesis(e2e.BUILD_DIR, folder, (self._ours, self._theirs), keys, delay_s, self._slot_ms,
                                     log_lifetime)
        self._deadline = time.monotonic() + delay_s + (4 * self._slots + 32) * self._slot_ms / 1000
        self._node = OwnNode(e2e.BUILD_DIR, self._genesis, self._ours.name, folder / self._ours.name)
        self._client = None
        self._rpc = None

    def start(self):
        node = self._ours
        self._node.start(self._genesis / f"{node.name}.key", f"127.0.0.1:{node.port}",
                         shlex.split(os.environ.get("LEAN_INTEROP_ENGINE_OPTIONS", "")))
        self._rpc = BeaconRpc(self._node.rpc_address, e2e.BUILD_DIR)
        node = self._theirs
        data = self._folder / node.name
        data.mkdir()
        told = {
            "genesis": self._genesis,
            "config": self._genesis / "config.yaml",
            "validators": self._genesis / "validators.yaml",
            "nodes": self._genesis / "nodes.yaml",
            "keys": self._genesis / "hash-sig-keys",
            "node_id": node.name,
            "node_key": self._genesis / f"{node.name}.key",
            "indices": ",".join(map(str, node.indices)),
            "first_index": node.indices[0],
            "port": node.port,
            "metrics_port": node.metrics_port,
            "data": data,
        }
        command = [part.format(**told) for part in shlex.split(os.environ["LEAN_OTHER_CLIENT"])]
        print(f"the other client: {shlex.join(command)}", flush=True)
        self._client = Process(node.name, command, self._folder / f"{node.name}.log")

    def wait(self):
        """Waits until our beacon has finalized what shows that both were at work, and tells of it once a slot."""
        told = None
        while True:
            ended = self._node.ended() or (None if self._client.running() else self._client)
            if ended:
                raise Failure(f"{ended.name} ended with exit code {ended.exit_code()}")
            status = self._rpc.try_status()
            if status and status.slot != told:
                told = status.slot
                print(f"slot {status.slot}: head {status.head.slot}, justified {status.justified.slot}, finalized "
                      f"{status.finalized.slot}; {status.votes_in_previous_slot} of {status.validator_count} votes in the "
                      f"slot before; {status.peers} peers", flush=True)
            missing = self._missing(status)
            if not missing:
                return
            if time.monotonic() > self._deadline:
                raise Failure("; ".join(missing))
            time.sleep(min(0.5, self._slot_ms / 4000))

    def _missing(self, status):
        """What is still to be seen in our beacon's finalized chain."""
        if status is None:
            return ["our beacon does not answer"]
        if status.finalized.slot < self._slots:
            return [f"finalized is slot {status.finalized.slot}, not {self._slots}"]
        proposers, voters, justified = set(), set(), 0
        for slot in range(1, status.finalized.slot + 1):
            try:
                block = self._rpc.block(slot=slot)
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.NOT_FOUND:
                    raise
                continue  # a slot without a block
            proposers.add(block.proposer_index)
            for vote in (*block.attestations, block.proposer_attestation):
                voters.add(vote.validator_index)
                if vote.validator_index in self._theirs.indices:
                    justified = max(justified, vote.source.slot)
        told = max((peer.finalized.slot for peer in self._rpc.linked()), default=None)
        theirs = set(self._theirs.indices)
        missing = []
        if theirs - proposers:
            missing.append(f"no finalized block is by the other's validators {sorted(theirs - proposers)}")
        if theirs - voters:
            missing.append(f"no finalized vote is by the other's validators {sorted(theirs - voters)}")
        if not justified:
            missing.append("no vote of the other's names a justified block after genesis")
        if told is None or told < self._slots:
            missing.append("the other is not connected" if told is None else f"the other's status says finalized {told}")
        return missing

    def report(self):
        status = self._rpc.status()
        peers = "; ".join(f"{peer.agent} {peer.address}" for peer in self._rpc.linked())
        print(f"finalized together up to slot {status.finalized.slot}, with blocks and votes of the other's validators "
              f"{self._theirs.indices}; peers: {peers}")

    def show_logs(self):
        processes = [*self._node.processes, *([self._client] if self._client else [])]
        for process in processes:
            print(f"--- {process.name}, exit code {process.exit_code()}\n{process.log_tail(40)}", file=sys.stderr)

    def stop(self):
        if self._rpc:
            self._rpc.close()
        if self._client and self._client.running():
            self._client.stop()
        self._node.stop()


def main():
    if not os.environ.get("LEAN_OTHER_CLIENT"):
        skip("LEAN_OTHER_CLIENT names no client")
    for program in ("lean-beacon", "lean-validator", "lean-p2p"):
        if not (e2e.BUILD_DIR / "bin" / program).is_file():
            skip(f"{e2e.BUILD_DIR / 'bin' / program} was not built")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="lean-interop-", dir=e2e.folder_for_tests()))
    keep = "LEAN_INTEROP_KEEP" in os.environ
    interop = None
    try:
        interop = Interop(folder)
        interop.start()
        interop.wait()
        interop.report()
    except Failure as failure:
        interop.show_logs()
        print(f"not finalized together: {failure}")
        sys.exit(1)
    finally:
        if interop:
            interop.stop()
        if keep:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
