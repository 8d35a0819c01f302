"""Calls to a beacon by its public gRPC contract, with the stubs that the build generates."""

import pathlib
import sys

import grpc

# Of a call. Generous, because a busy machine may stop a beacon for seconds.
TIMEOUT_S = 60


class BeaconRpc:
    """Calls to lean.v1.BeaconService of one beacon. Every call has a deadline; errors are grpc.RpcError."""

    def __init__(self, address, build_dir, tls_dir=None):
        """`build_dir`: a build folder, whose python/ holds the generated stubs. `tls_dir`: a node's folder of `lean-beacon
        certs`; None: without TLS."""
        stubs = str(pathlib.Path(build_dir, "python").resolve())
        if stubs not in sys.path:
            sys.path.insert(0, stubs)
        from lean.v1 import beacon_pb2, beacon_pb2_grpc  # pylint: disable=import-outside-toplevel

        self.messages = beacon_pb2
        # Reconnects to a restarted beacon within a slot.
        options = [("grpc.max_reconnect_backoff_ms", 500), ("grpc.initial_reconnect_backoff_ms", 100),
                   ("grpc.min_reconnect_backoff_ms", 500)]
        if tls_dir is None:
            self._channel = grpc.insecure_channel(address, options=options)
        else:
            files = (pathlib.Path(tls_dir, name).read_bytes() for name in ("ca.pem", "key.pem", "cert.pem"))
            self._channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(*files), options=options)
        self._stub = beacon_pb2_grpc.BeaconServiceStub(self._channel)

    def status(self, timeout_s=TIMEOUT_S, wait_for_ready=None):
        request = self.messages.GetChainStatusRequest()
        return self._stub.GetChainStatus(request, timeout=timeout_s, wait_for_ready=wait_for_ready)

    def spec(self, timeout_s=TIMEOUT_S):
        return self._stub.GetSpec(self.messages.GetSpecRequest(), timeout=timeout_s)

    def genesis(self, timeout_s=TIMEOUT_S):
        return self._stub.GetGenesis(self.messages.GetGenesisRequest(), timeout=timeout_s)

    def node_info(self, timeout_s=TIMEOUT_S):
        return self._stub.GetNodeInfo(self.messages.GetNodeInfoRequest(), timeout=timeout_s)

    def peers(self, timeout_s=TIMEOUT_S):
        """The connected and the configured peers of its network engine."""
        return self._stub.GetPeers(self.messages.GetPeersRequest(), timeout=timeout_s).peers

    def linked(self, timeout_s=TIMEOUT_S):
        """The connected peers."""
        return [peer for peer in self.peers(timeout_s) if peer.state == self.messages.PeerView.CONNECTED]

    def block(self, timeout_s=TIMEOUT_S, **block_id):
        """The block selected by root=, slot= or name=."""
        request = self.messages.GetBlockRequest(block=self.messages.BlockId(**block_id))
        return self._stub.GetBlock(request, timeout=timeout_s)

    def state(self, timeout_s=TIMEOUT_S, **block_id):
        """The post-state of the block selected by root=, slot= or name=."""
        request = self.messages.GetStateRequest(block=self.messages.BlockId(**block_id))
        return self._stub.GetState(request, timeout=timeout_s)

    def serving(self, service="", timeout_s=TIMEOUT_S):
        """The health of a service, or of the whole server, from grpc.health.v1. The messages are small, so no stubs are
        generated."""
        check = self._channel.unary_unary("/grpc.health.v1.Health/Check")
        name = service.encode()
        request = bytes((0x0A, len(name))) + name  # HealthCheckRequest{service}
        return check(request, timeout=timeout_s) == b"\x08\x01"  # HealthCheckResponse{status: SERVING}

    def try_status(self, timeout_s=1):
        """status(), or None if the beacon does not answer in time."""
        try:
            # gRPC for Python reconnects only while a call waits. Calls that fail at once would miss for seconds that a
            # beacon is back.
            return self.status(timeout_s, wait_for_ready=True)
        except grpc.RpcError:
            return None

    def close(self):
        self._channel.close()
