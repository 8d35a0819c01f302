"""lean-quickstart's unmodified genesis folder, node keys and node names: two of its nodes run our programs and find
each other by nodes.yaml; one of its validators votes."""

import gzip
import json
import os
import pathlib
import re
import shutil
import sys
import tempfile
import time
import unittest

import e2e
from leandev import engine
from leandev.processes import wait_until
from leandev.rpc import BeaconRpc
from own_node import OwnNode

FILES = pathlib.Path(__file__).resolve().parent / "quickstart" / "genesis"
LEANSIG = e2e.ROOT / "tests" / "vectors" / "leansig"
# As validator-config.yaml says.
PEER_IDS = {
    "zeam_0": "16Uiu2HAkvi2sxT75Bpq1c7yV2FjnSQJJ432d6jeshbmfdJss1i6f",
    "ream_0": "16Uiu2HAmPQhkD6Zg5Co2ee8ShshkiY4tDePKFARPpCS2oKSLj1E1",
}
PORTS = {"zeam_0": 9000, "ream_0": 9001}
HAVE_ENGINE = (e2e.BUILD_DIR / "bin" / "lean-p2p").is_file()


@unittest.skipUnless(HAVE_ENGINE, "lean-p2p was not built")
class QuickstartTest(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="lean-quickstart-", dir=e2e.folder_for_tests()))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.genesis = self.directory / "genesis"
        shutil.copytree(FILES, self.genesis)
        shutil.copyfile(LEANSIG / "l32_min.sk.ssz", self.genesis / "hash-sig-keys" / "validator_0_sk.ssz")
        config = self.genesis / "config.yaml"
        config.write_text(re.sub(r"(?m)^GENESIS_TIME: \d+$", f"GENESIS_TIME: {int(time.time()) + 8}", config.read_text()))

    def node(self, name):
        node = OwnNode(e2e.BUILD_DIR, self.genesis, name, self.directory / name)
        self.addCleanup(node.stop)
        return node

    def test_the_first_key_is_the_vectors(self):
        with gzip.open(LEANSIG / "l32_min.json.gz") as vectors:
            self.assertIn(f'"{json.load(vectors)["public_key"]}"', (FILES / "config.yaml").read_text())

    def test_our_record_of_a_node_is_theirs(self):
        nodes = (FILES / "nodes.yaml").read_text()
        for name, port in PORTS.items():
            ours = engine.identity(e2e.BUILD_DIR, self.genesis / f"{name}.key", f"127.0.0.1:{port}")
            self.assertIn(f"- {ours['enr']}\n", nodes)

    def test_two_nodes_find_each_other_and_a_validator_votes(self):
        zeam, ream = self.node("zeam_0"), self.node("ream_0")
        zeam.start(self.genesis / "zeam_0.key", "0.0.0.0:9000")
        ream.start(self.genesis / "ream_0.key", "0.0.0.0:9001", validators=False)
        for node, other in ((zeam, "ream_0"), (ream, "zeam_0")):
            rpc = BeaconRpc(node.rpc_address, e2e.BUILD_DIR)
            self.addCleanup(rpc.close)

            def linked(rpc=rpc, other=other):
                return rpc.try_status() and any(peer.peer_id == PEER_IDS[other] for peer in rpc.linked())

            wait_until(linked, e2e.PATIENCE_S, f"{node.name} to be linked to {other}")
            self.assertEqual(rpc.genesis().validator_count, 3)
            self.assertEqual(rpc.spec().xmss_log_lifetime, 32)
            view = rpc.node_info().network
            self.assertEqual(view.peer_id, PEER_IDS[node.name])
            # It listens on all addresses: the file tells which of them is its own.
            log = (self.directory / node.name / "lean-p2p.log").read_text()
            self.assertIn(f" engine_enr enr={view.enr}\n", log)
            self.assertIn(f"- {view.enr}\n", (FILES / "nodes.yaml").read_text())

            def voted(rpc=rpc):
                status = rpc.try_status()
                return status and status.votes_in_previous_slot == 1 and list(status.missing_in_previous_slot) == [1, 2]

            wait_until(voted, e2e.PATIENCE_S, f"{node.name} to know a vote of validator 0")


def main():
    # The files name fixed ports: they are free in a network of one's own.
    apart = "LEAN_INTEROP_APART"
    if apart not in os.environ:
        if not e2e.have_namespaces():
            print("skipped: a network of its own cannot be had (unshare --net)")
            sys.exit(77)
        os.environ[apart] = "yes"
        command = [*e2e.APART, "sh", "-c", 'ip link set lo up && exec "$0" "$@"', sys.executable, *sys.argv]
        os.execvp(command[0], command)
    e2e.main()


if __name__ == "__main__":
    main()
