"""Every query of BeaconService, and GetDuties, from Python stubs on a running network."""

import sys

import e2e
import grpc

sys.path.insert(0, str(e2e.BUILD_DIR / "python"))

TIMEOUT_S = 20
ROOT_CHARACTERS = 66
KEY_CHARACTERS = 106


class QueriesTest(e2e.NetworkTest):
    def setUp(self):
        super().setUp()
        from lean.v1 import beacon_pb2, beacon_pb2_grpc, validator_pb2, validator_pb2_grpc

        self.beacon_pb2 = beacon_pb2
        self.validator_pb2 = validator_pb2
        self.start_network(clients=1)
        self.wait_for(lambda s: s.block_count >= 4, "three blocks above genesis")
        channel = grpc.insecure_channel(self.network.settings.address)
        self.addCleanup(channel.close)
        self.queries = beacon_pb2_grpc.BeaconServiceStub(channel)
        self.duties = validator_pb2_grpc.DutyServiceStub(channel)

    def ask(self, method, **fields):
        request = getattr(self.beacon_pb2, method + "Request")(**fields)
        return getattr(self.queries, method)(request, timeout=TIMEOUT_S)

    def block(self, **block_id):
        return self.ask("GetBlock", block=self.beacon_pb2.BlockId(**block_id))

    def test_all(self):
        genesis = self.ask("GetGenesis")
        self.assertEqual(genesis.validator_count, 4)
        self.assertEqual(len(genesis.genesis_block_root), ROOT_CHARACTERS)
        self.assertEqual(len(genesis.genesis_state_root), ROOT_CHARACTERS)

        spec = self.ask("GetSpec")
        self.assertEqual(spec.slot_duration_ms, e2e.SLOT_MS)
        self.assertEqual(spec.xmss_log_lifetime, e2e.XMSS_LOG_LIFETIME)
        self.assertEqual((spec.signature_bytes, spec.public_key_bytes), (3116, 52))
        self.assertEqual(spec.max_attestations_per_block, 4095)

        node = self.ask("GetNodeInfo")
        self.assertEqual(node.rpc_address, self.network.settings.address)
        self.assertEqual(node.genesis_block_root, genesis.genesis_block_root)
        self.assertTrue(node.version and node.commit and node.build)
        self.assertFalse(node.tls)

        head = self.ask("GetHead")
        self.assertGreaterEqual(head.head.slot, 3)
        self.assertEqual(head.proposer_index, head.head.slot % 4)

        status = self.ask("GetChainStatus")
        self.assertGreaterEqual(status.slot, status.head.slot)
        self.assertEqual(status.proposer_index, status.slot % 4)
        self.assertTrue(status.synced)

        # The head's chain leads back to genesis, block by block.
        block = self.block(root=head.head.root)
        steps = 0
        while block.slot > 0:
            self.assertTrue(block.canonical)
            self.assertEqual(block.proposer_attestation.head.root, block.root)
            self.assertEqual(block.proposer_attestation.validator_index, block.proposer_index)
            state = self.ask("GetState", block=self.beacon_pb2.BlockId(root=block.root))
            self.assertEqual(state.state_root, block.state_root)
            self.assertEqual(state.slot, block.slot)
            block = self.block(root=block.parent_root)
            steps += 1
        self.assertGreaterEqual(steps, 3)
        self.assertEqual(block.root, genesis.genesis_block_root)
        self.assertTrue(block.finalized)
        self.assertFalse(block.HasField("proposer_attestation"))

        names = self.beacon_pb2.BlockId
        for name in (names.HEAD, names.JUSTIFIED, names.FINALIZED, names.GENESIS):
            self.assertEqual(len(self.block(name=name).root), ROOT_CHARACTERS)
        self.assertEqual(self.block(slot=0).root, genesis.genesis_block_root)

        validators = self.ask("GetValidators")
        self.assertEqual([v.index for v in validators.validators], [0, 1, 2, 3])
        self.assertEqual({len(v.pubkey) for v in validators.validators}, {KEY_CHARACTERS})
        self.assertEqual([v.index for v in self.ask("GetValidators", start=1, limit=2).validators], [1, 2])

        tree = self.ask("GetForkChoice")
        roots = [node.root for node in tree.nodes]
        self.assertIn(tree.head.root, roots)
        for place, node in enumerate(tree.nodes[1:], 1):
            self.assertIn(node.parent_root, roots[:place], "parents stand before their children")

        keys = [bytes.fromhex(v.pubkey[2:]) for v in validators.validators]
        duties = self.duties.GetDuties(
            self.validator_pb2.GetDutiesRequest(pubkeys=[*keys, b"\0" * 52], slot=6), timeout=TIMEOUT_S)
        self.assertEqual([list(d.indices) for d in duties.duties], [[0], [1], [2], [3], []])
        self.assertEqual(duties.proposer_index, 2)
        self.assertEqual("0x" + duties.genesis_block_root.hex(), genesis.genesis_block_root)


if __name__ == "__main__":
    e2e.main()
