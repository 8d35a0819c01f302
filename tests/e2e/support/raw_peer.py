"""A peer of a beacon by the public contract alone, which sends whatever a test wants."""

import hashlib
import queue
import secrets
import threading

import grpc

VOTE_BYTES = 3252
SIGNATURE_BYTES = 3116


def compress(data):
    """Snappy's raw format, in literals alone."""
    out = bytearray(_varint(len(data)))
    for at in range(0, len(data), 65536):
        part = data[at:at + 65536]
        out += bytes([61 << 2]) + (len(part) - 1).to_bytes(2, "little") + part
    return bytes(out)


def zeros(size):
    """Snappy's raw format of `size` zeros, about a twentieth of them."""
    copies, rest = divmod(size - 1, 64)
    out = bytearray(_varint(size)) + b"\0\0"  # a literal of one zero
    out += bytes([63 << 2 | 2, 1, 0]) * copies
    if rest:
        out += bytes([(rest - 1) << 2 | 2, 1, 0])
    return bytes(out)


def _varint(value):
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def vote(validator, slot, head, signature=None):
    """SSZ of a vote for the checkpoint `head`, (root, slot), with a signature that is nobody's."""
    checkpoint = head[0] + head[1].to_bytes(8, "little")
    data = slot.to_bytes(8, "little") + 3 * checkpoint
    return validator.to_bytes(8, "little") + data + (signature or secrets.token_bytes(SIGNATURE_BYTES))


def block(slot, proposer, parent, head_root=None):
    """SSZ of a block without votes on `parent`, with a signature that is nobody's. Its proposer's vote names
    `head_root`, or anything."""
    header = slot.to_bytes(8, "little") + proposer.to_bytes(8, "little") + parent + secrets.token_bytes(32)
    body = (4).to_bytes(4, "little")  # the offset of an empty list
    inner = header + (84).to_bytes(4, "little") + body
    attestation = vote(proposer, slot, (head_root or secrets.token_bytes(32), slot))[:136]
    message = (140).to_bytes(4, "little") + attestation + inner
    return (8).to_bytes(4, "little") + (8 + len(message)).to_bytes(4, "little") + message + secrets.token_bytes(
        SIGNATURE_BYTES)


class RawPeer:
    """Dials the beacon at `address` and shakes hands as a beacon of the network of `rpc`, a BeaconRpc."""

    def __init__(self, address, rpc, name="raw", options=(), read=True, **status):
        """`read`: takes what comes. `status`: fields of the handshake that are to be other than right."""
        from lean.v1 import peer_pb2  # pylint: disable=import-outside-toplevel

        self.messages = peer_pb2
        self._channel = grpc.insecure_channel(address, [("grpc.max_send_message_length", -1), *options])
        self._sending = queue.Queue(maxsize=64)
        self._call = self._channel.stream_stream("/lean.v1.PeerService/Gossip")(iter(self._sending.get, None))
        self.session = b""
        self.goodbye = None  # as it was said to us
        self.received = []  # kinds of the messages that came
        self.ended = threading.Event()
        self._answers = None
        self.send(status=self._status(rpc, name, **status))
        self._read_one()
        if read and not self.ended.is_set():
            threading.Thread(target=self._read, daemon=True).start()

    def _status(self, rpc, name, **changes):
        spec, status = rpc.spec(), rpc.status()
        text = f"{spec.network} {spec.slot_duration_ms} {spec.xmss_log_lifetime} {spec.signature_form}"
        fields = {
            "protocol_version": 1,
            "network": spec.network,
            "genesis_root": bytes.fromhex(rpc.genesis().genesis_block_root[2:]),
            "spec_digest": hashlib.sha256(text.encode()).digest(),
            "node_id": secrets.token_bytes(16),
            "node_name": name,
            "node_version": "0",
            "chain": self.chain(status.head, status.finalized),
        }
        return self.messages.PeerStatus(**{**fields, **changes})

    def chain(self, head, finalized, synced=True):
        """PeerChain of two CheckpointViews."""
        def checkpoint(view):
            return {"root": bytes.fromhex(view.root[2:]), "slot": view.slot}

        return self.messages.PeerChain(
            head=checkpoint(head), finalized=checkpoint(finalized), earliest_slot=1, synced=synced)

    def send(self, **content):
        self.send_raw(self.messages.GossipMessage(**content).SerializeToString())

    def send_raw(self, data):
        """False: the link has ended, or the beacon does not read."""
        if self.ended.is_set():
            return False
        try:
            self._sending.put(data, timeout=5)
            return True
        except queue.Full:
            return False

    def serve_nothing(self):
        """Opens the Answer stream, takes requests and never answers. Returns the list of them, which grows."""
        requests = []
        sending = queue.Queue()
        sending.put(self.messages.BlocksAnswer(session=self.session).SerializeToString())
        self._answers = self._channel.stream_stream("/lean.v1.PeerService/Answer")(iter(sending.get, None))

        def read():
            try:
                for data in self._answers:
                    requests.append(self.messages.BlocksRequest.FromString(data))
            except grpc.RpcError:
                pass

        threading.Thread(target=read, daemon=True).start()
        return requests

    def ask_raw(self, method, data, timeout_s=5):
        """The answer's bytes; grpc.RpcError."""
        return self._channel.unary_unary(f"/lean.v1.PeerService/{method}")(data, timeout=timeout_s)

    def _read_one(self):
        try:
            message = self.messages.GossipMessage.FromString(next(self._call))
        except (StopIteration, grpc.RpcError):
            self.ended.set()
            return
        kind = message.WhichOneof("content")
        self.received.append(kind)
        if kind == "status":
            self.session = message.status.session
        if kind == "goodbye":
            self.goodbye = self.messages.PeerGoodbye.Reason.Name(message.goodbye.reason)

    def _read(self):
        while not self.ended.is_set():
            self._read_one()

    def close(self):
        self.ended.set()
        self._call.cancel()
        # Lets the thread that sends go.
        while True:
            try:
                self._sending.put_nowait(None)
                break
            except queue.Full:
                self._sending.get_nowait()
        self._channel.close()
