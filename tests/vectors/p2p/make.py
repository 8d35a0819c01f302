#!/usr/bin/env python3
"""Makes the wire vectors of this folder. Nothing of the engine's is used: what is needed of snappy, SHA-3, secp256k1 and
RLP stands below, in plain Python.

Usage: make.py            writes the files beside itself
       make.py --check    says whether they are what it would write
"""

import base64
import hashlib
import json
import pathlib
import struct
import sys

FOLDER = pathlib.Path(__file__).parent


def noise(count, seed):
    """Bytes that do not compress, the same each time."""
    out = b""
    while len(out) < count:
        out += hashlib.sha256(f"{seed} {len(out)}".encode()).digest()
    return out[:count]


# --- snappy ---


def varint(number):
    out = b""
    while number >= 0x80:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def literal(data):
    size = len(data) - 1
    if size < 60:
        return bytes([size << 2]) + data
    width = (size.bit_length() + 7) // 8
    return bytes([(59 + width) << 2]) + size.to_bytes(width, "little") + data


def snappy_raw(data):
    """Literals, and a copy where the data is one byte again and again."""
    out = varint(len(data))
    if len(data) > 64 and data == data[:1] * len(data):
        out += literal(data[:1])
        rest = len(data) - 1
        while rest:
            size = min(rest, 64)
            out += bytes([(size - 1) << 2 | 2, 1, 0])
            rest -= size
        return out
    for start in range(0, len(data), 1 << 16):
        out += literal(data[start : start + (1 << 16)])
    return out


def crc32c_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


CRC = crc32c_table()


def checksum(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def snappy_frames(data):
    out = b"\xff\x06\x00\x00sNaPpY"
    for start in range(0, len(data), 1 << 16):
        part = data[start : start + (1 << 16)]
        packed = snappy_raw(part)
        kind, body = (0, packed) if len(packed) < len(part) else (1, part)
        body = struct.pack("<I", checksum(part)) + body
        out += bytes([kind]) + len(body).to_bytes(3, "little") + body
    return out


# --- Keccak-256, as Ethereum has it ---


def keccak_f(lanes):
    rotate = lambda value, by: (value << by | value >> (64 - by)) & (2**64 - 1) if by else value
    lfsr = 1
    for _ in range(24):
        column = [lanes[x][0] ^ lanes[x][1] ^ lanes[x][2] ^ lanes[x][3] ^ lanes[x][4] for x in range(5)]
        change = [column[(x + 4) % 5] ^ rotate(column[(x + 1) % 5], 1) for x in range(5)]
        lanes = [[lanes[x][y] ^ change[x] for y in range(5)] for x in range(5)]
        x, y, current = 1, 0, lanes[1][0]
        for step in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            current, lanes[x][y] = lanes[x][y], rotate(current, (step + 1) * (step + 2) // 2 % 64)
        for y in range(5):
            row = [lanes[x][y] for x in range(5)]
            for x in range(5):
                lanes[x][y] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5])
        for bit in range(7):
            lfsr = (lfsr << 1 ^ (lfsr >> 7) * 0x71) % 256
            if lfsr & 2:
                lanes[0][0] ^= 1 << ((1 << bit) - 1)
    return lanes


def keccak256(data):
    rate = 136
    data += b"\x01" + b"\x00" * (rate - len(data) % rate - 1)
    data = data[:-1] + bytes([data[-1] | 0x80])
    lanes = [[0] * 5 for _ in range(5)]
    for start in range(0, len(data), rate):
        for i in range(rate // 8):
            lanes[i % 5][i // 5] ^= struct.unpack_from("<Q", data, start + 8 * i)[0]
        lanes = keccak_f(lanes)
    return b"".join(struct.pack("<Q", lanes[i % 5][i // 5]) for i in range(4))


# --- secp256k1 ---

P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)


def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and (a[1] + b[1]) % P == 0:
        return None
    slope = 3 * a[0] * a[0] * pow(2 * a[1], -1, P) if a == b else (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(factor, point=G):
    result = None
    while factor:
        if factor & 1:
            result = add(result, point)
        point, factor = add(point, point), factor >> 1
    return result


def public_key(secret):
    x, y = multiply(secret)
    return bytes([2 + y % 2]) + x.to_bytes(32, "big")


def sign(secret, digest, low=True):
    z = int.from_bytes(digest, "big")
    nonce = int.from_bytes(hashlib.sha256(secret.to_bytes(32, "big") + digest).digest(), "big") % N
    r = multiply(nonce)[0] % N
    s = pow(nonce, -1, N) * (z + r * secret) % N
    if (s > N // 2) == low:
        s = N - s
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


# --- ENR and peer ids ---


def rlp_bytes(data):
    if len(data) == 1 and data[0] < 0x80:
        return data
    return (bytes([0x80 + len(data)]) if len(data) < 56 else bytes([0xB8, len(data)])) + data


def rlp_list(content):
    if len(content) < 56:
        return bytes([0xC0 + len(content)]) + content
    width = (len(content).bit_length() + 7) // 8
    return bytes([0xF7 + width]) + len(content).to_bytes(width, "big") + content


def rlp_number(number):
    return rlp_bytes(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def enr(secret, sequence, fields):
    content = rlp_number(sequence)
    for name in sorted(fields):
        content += rlp_bytes(name.encode()) + rlp_bytes(fields[name])
    record = rlp_list(rlp_bytes(sign(secret, keccak256(rlp_list(content)))) + content)
    return "enr:" + base64.urlsafe_b64encode(record).decode().rstrip("=")


def base58(data):
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number, out = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        out = alphabet[digit] + out
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + out


def peer_id(public):
    protobuf = bytes([8, 2, 18, len(public)]) + public
    return base58(bytes([0, len(protobuf)]) + protobuf)


def enrs():
    cases = []

    def case(name, secret, sequence, address, fields, good=True, text=None):
        public = public_key(secret)
        fields = {"id": b"v4", "secp256k1": public, **fields}
        fields = {key: value for key, value in fields.items() if value is not None}
        text = text or enr(secret, sequence, fields)
        cases.append({"name": name, "enr": text, "good": good})
        if good:
            cases[-1].update({"sequence": sequence, "peer_id": peer_id(public), "address": address})

    secret = 0xAF27950128B49CDA7E7BC9FCB7B0270F7A3945AA7543326F3BFDBD57D2A97A32
    port = (9000).to_bytes(2, "big")
    v4 = {"ip": bytes([10, 0, 0, 7]), "quic": port}
    v6 = {"ip6": bytes.fromhex("20010db8000000000000000000000001"), "quic6": port}
    case("ip and quic", secret, 1, "10.0.0.7:9000", v4)
    case("ip6 and quic6", secret, 1, "[2001:db8::1]:9000", v6)
    case("a large sequence number and a small port", 7, 2**40, "127.0.0.1:80", {"ip": bytes([127, 0, 0, 1]), "quic": b"\x50"})
    case("further fields", 9, 5, "10.0.0.7:9000", {**v4, "udp": port, "eth2": noise(16, "eth2"), "attnets": bytes(8)})
    case("no quic", secret, 1, None, {"ip": v4["ip"]}, good=False)
    case("no address", secret, 1, None, {"quic": port}, good=False)
    case("port zero", secret, 1, None, {**v4, "quic": b""}, good=False)
    case("an address of five bytes", secret, 1, None, {**v4, "ip": bytes(5)}, good=False)
    case("another identity scheme", secret, 1, None, {**v4, "id": b"v5"}, good=False)
    case("a key of another point", secret, 1, None, {**v4, "secp256k1": public_key(8)}, good=False)
    text = enr(secret, 1, {"id": b"v4", "secp256k1": public_key(secret), **v4})
    case("a padded record", secret, 1, None, v4, good=False, text=text + "=")
    case("a record that is cut off", secret, 1, None, v4, good=False, text=text[:-4])
    case("no prefix", secret, 1, None, v4, good=False, text=text[4:])
    # Of another client: qlean-mini c8dc1ec, example/1-network/genesis/nodes.yaml.
    cases.append(
        {
            "name": "qlean's",
            "enr": "enr:-IW4QMn2QUYENcnsEpITZLph3YZee8Y3B92INUje_riQUOFQQ5Zm5kASi7E_IuQoGCWgcmCYrH920Q52kH7tQcWcPhEBgmlkgnY0gmlwhH8AAAGEcXVpY4IjKIlzZWNwMjU2azGhAhMMnGF1rmIPQ9tWgqfkNmvsG-aIyc9EJU5JFo3Tegys",
            "good": True,
            "sequence": 1,
            "peer_id": peer_id(bytes.fromhex("02130c9c6175ae620f43db5682a7e4366bec1be688c9cf44254e49168dd37a0cac")),
            "address": "127.0.0.1:9000",
        }
    )
    return cases


# --- everything else ---


def message_ids():
    cases = []
    for network, kind, content in [
        ("devnet0", "block", b""),
        ("devnet0", "block", noise(300, "block")),
        ("devnet0", "attestation", noise(3252, "vote")),
        ("devnet1", "attestation", noise(3252, "vote")),
        ("devnet0", "attestation", bytes(3248)),
    ]:
        topic = f"/leanconsensus/{network}/{kind}/ssz_snappy"
        data = bytes([1, 0, 0, 0]) + struct.pack("<Q", len(topic)) + topic.encode() + content
        wire = snappy_raw(content)
        cases.append(
            {
                "topic": topic,
                "wire": wire.hex(),
                "content": content.hex(),
                "message_id": hashlib.sha256(data).hexdigest()[:40],
            }
        )
    # What does not decompress has another domain. No client passes it on.
    topic, wire = "/leanconsensus/devnet0/block/ssz_snappy", b"\xff" * 20
    data = bytes(4) + struct.pack("<Q", len(topic)) + topic.encode() + wire
    cases.append(
        {"topic": topic, "wire": wire.hex(), "content": None, "message_id": hashlib.sha256(data).hexdigest()[:40]}
    )
    return cases


def frames():
    cases = []
    contents = {
        "a status": noise(80, "status"),
        "one byte": b"\x07",
        "one byte again and again": b"\x03" * 5000,
        "a chunk": noise(65_536, "chunk"),
        "a second chunk that ends where the length would, if it counted the compressed bytes": noise(2 * 65_536 + 26, "met"),
    }
    for name, content in contents.items():
        packed = snappy_frames(content)
        for length_of, length in (("content", len(content)), ("compressed", len(packed))):
            frame = varint(length) + packed
            cases.append(
                {
                    "name": name,
                    "length_of": length_of,
                    "frame": frame.hex() if len(frame) < 10_000 else None,
                    "frame_sha256": hashlib.sha256(frame).hexdigest(),
                    "content_sha256": hashlib.sha256(content).hexdigest(),
                    "content_size": len(content),
                }
            )
            if cases[-1]["frame"] is None:
                cases[-1]["frame_base64"] = base64.b64encode(frame).decode()
            else:
                cases[-1]["content"] = content.hex()
    return cases


def status():
    cases = []
    for finalized, head in [(0, 0), (5, 9), (2**64 - 1, 2**64 - 1)]:
        roots = noise(64, f"roots {finalized} {head}")
        ssz = roots[:32] + struct.pack("<Q", finalized) + roots[32:] + struct.pack("<Q", head)
        cases.append(
            {
                "finalized": {"root": roots[:32].hex(), "slot": str(finalized)},
                "head": {"root": roots[32:].hex(), "slot": str(head)},
                "ssz": ssz.hex(),
            }
        )
    return cases


def block_requests():
    cases = []
    for count in (1, 2, 1024):
        roots = [noise(32, f"root {i}") for i in range(count)]
        cases.append(
            {
                "roots": [root.hex() for root in roots],
                "bare": b"".join(roots).hex(),
                "container": (struct.pack("<I", 4) + b"".join(roots)).hex(),
            }
        )
    ranges = [{"first": str(f), "count": str(c), "ssz": struct.pack("<QQ", f, c).hex()} for f, c in ((0, 1), (77, 1024))]
    return {"by_root": cases, "by_range": ranges}


def signature_forms():
    def both(seed):
        path, rho, hashes = noise(1024, f"path {seed}"), noise(28, f"rho {seed}"), noise(2048, f"hashes {seed}")
        flat = path + rho + hashes + bytes(16)
        leansig = struct.pack("<I", 36) + rho + struct.pack("<I", 1064) + struct.pack("<I", 4) + path + hashes
        assert (len(flat), len(leansig)) == (3116, 3112)
        return flat, leansig

    flat, leansig = both("vote")
    attestation = noise(136, "attestation")
    votes = {"flat": (attestation + flat).hex(), "leansig": (attestation + leansig).hex()}
    message = noise(300, "message")
    head = struct.pack("<II", 8, 8 + len(message)) + message
    forms = [both(f"block {i}") for i in range(3)]
    blocks = {
        "flat": (head + b"".join(f for f, _ in forms)).hex(),
        "leansig": (head + b"".join(l for _, l in forms)).hex(),
    }
    return {"vote": votes, "block": blocks}


FILES = {
    "enrs.json": enrs,
    "message_ids.json": message_ids,
    "frames.json": frames,
    "status.json": status,
    "block_requests.json": block_requests,
    "signature_forms.json": signature_forms,
}


def main():
    assert keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    changed = []
    for name, make in FILES.items():
        text = json.dumps(make(), indent=1) + "\n"
        path = FOLDER / name
        if "--check" in sys.argv[1:]:
            if not path.exists() or path.read_text() != text:
                changed.append(name)
        else:
            path.write_text(text)
    if changed:
        sys.exit(f"not what make.py makes: {', '.join(changed)}")


if __name__ == "__main__":
    main()
