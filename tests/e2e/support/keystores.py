"""Reads keystores of EIP-8310 and records of EIP-3076 without any code of this project's programs.

Written from the drafts and from tests/vectors/keystores/README.md, with Debian's python3-cryptography and python3-argon2.
"""

import hashlib
import json
import re
import struct
import unicodedata

import argon2.low_level
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MODULUS = 2**31 - 2**24 + 1
LEAN_FIELDS = {
    "hash": "poseidon2-koalabear", "hypertree_layers": 1, "encoding": "target_sum", "winternitz_w": 8, "dimension": 64,
    "target_sum": 375, "index_mode": "synchronized"}
HASH_WORDS = 8
PARAMETER_WORDS = 5


class Refused(Exception):
    """A file that must not be used, and why."""


def expect(condition, why):
    if not condition:
        raise Refused(why)


def fields(value, required, optional=(), where="the document"):
    """The object, which has all required fields and no others than these and the optional ones."""
    expect(isinstance(value, dict), f"{where} is no object")
    expect(set(required) <= set(value) <= set(required) | set(optional), f"{where} has the fields {sorted(value)}")
    return value


def encode_password(text):
    """EIP-2335: NFKD without control codes."""
    normal = unicodedata.normalize("NFKD", text)
    return "".join(c for c in normal if not (ord(c) < 0x20 or 0x7F <= ord(c) <= 0x9F)).encode()


def derive_key(kdf, password):
    """The 32 bytes of the kdf module."""
    params = kdf["params"]
    salt = bytes.fromhex(params["salt"])
    expect(params["dklen"] == 32 and kdf["message"] == "", "crypto.kdf")
    memory = params.get("m", params.get("n", 0) * params.get("r", 0) // 8)  # KiB
    expect(memory <= 256 << 10 and params.get("c", 0) <= 1 << 24, "crypto.kdf.params: too costly")
    secret = encode_password(password)
    if kdf["function"] == "scrypt":
        fields(params, ("n", "r", "p", "dklen", "salt"))
        return hashlib.scrypt(
            secret, salt=salt, n=params["n"], r=params["r"], p=params["p"], maxmem=512 << 20, dklen=32)
    if kdf["function"] == "pbkdf2":
        fields(params, ("c", "prf", "dklen", "salt"))
        expect(params["prf"] == "hmac-sha256", "crypto.kdf.params.prf")
        return hashlib.pbkdf2_hmac("sha256", secret, salt, params["c"], 32)
    expect(kdf["function"] == "argon2id", "crypto.kdf.function")
    fields(params, ("t", "m", "p", "dklen", "salt"))
    return argon2.low_level.hash_secret_raw(
        secret, salt, time_cost=params["t"], memory_cost=params["m"], parallelism=params["p"], hash_len=32,
        type=argon2.low_level.Type.ID, version=0x13)


def decrypt(crypto, password):
    """The secret of the crypto object of version 5."""
    fields(crypto, ("kdf", "cipher"), ("checksum",), "crypto")
    cipher = fields(crypto["cipher"], ("function", "params", "message"), where="crypto.cipher")
    expect(cipher["function"] == "aes-256-gcm", "crypto.cipher.function")
    key = derive_key(fields(crypto["kdf"], ("function", "params", "message"), where="crypto.kdf"), password)
    message = bytes.fromhex(cipher["message"])
    if "checksum" in crypto:
        checksum = fields(crypto["checksum"], ("function", "params", "message"), where="crypto.checksum")
        expect(checksum["function"] == "sha256" and checksum["params"] == {}, "crypto.checksum")
        expect(hashlib.sha256(key[16:] + message).hexdigest() == checksum["message"], "wrong password")
    iv = bytes.fromhex(fields(cipher["params"], ("iv",), where="crypto.cipher.params")["iv"])
    expect(len(iv) == 12, "crypto.cipher.params.iv")
    try:
        return AESGCM(key).decrypt(iv, message, None)
    except InvalidTag as error:
        raise Refused("wrong password") from error


class ChaCha12:
    """The words of rand_chacha's ChaCha12Rng."""

    def __init__(self, seed):
        self.key = struct.unpack("<8I", seed)
        self.counter = 0
        self.words = []

    def word(self):
        if not self.words:
            self.words = self.block()
            self.counter += 1
        return self.words.pop(0)

    def element(self):
        """A field element of leanSig's: 31 bits, below the modulus, in Montgomery form."""
        while True:
            value = self.word() >> 1
            if value < MODULUS:
                return value * pow(2**32, -1, MODULUS) % MODULUS

    def block(self):
        mask = 2**32 - 1
        start = [*struct.unpack("<4I", b"expand 32-byte k"), *self.key, self.counter & mask, self.counter >> 32, 0, 0]
        x = list(start)

        def mix(a, b, d, bits):
            x[a] = (x[a] + x[b]) & mask
            turned = x[d] ^ x[a]
            x[d] = (turned << bits | turned >> (32 - bits)) & mask

        def quarter(a, b, c, d):
            mix(a, b, d, 16)
            mix(c, d, b, 12)
            mix(a, b, d, 8)
            mix(c, d, b, 7)

        for _ in range(6):
            for i in range(4):
                quarter(i, i + 4, i + 8, i + 12)
            for i in range(4):
                quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
        return [(a + b) & mask for a, b in zip(x, start)]


def padding_nodes(height, first, last):
    """How many nodes of the top tree have no children, for bottom trees first..last."""
    count = 0
    for _ in range(height // 2, height + 1):
        count += first % 2 + (last + 1) % 2
        first, last = first // 2, last // 2
    return count


def expand(form, secret, nodes):
    """PRF key, parameter and padding of a secret, as they stand in the form leansig-explicit."""
    if form == "leansig-explicit":
        expect(len(secret) == 32 + 4 * (PARAMETER_WORDS + HASH_WORDS * nodes), "the seed's size")
        return secret
    expect(form == "leansig-chacha12" and len(secret) == 32, "the seed's size")
    stream = ChaCha12(secret)
    parameter = [stream.element() for _ in range(PARAMETER_WORDS)]
    prf_key = bytes(stream.word() & 255 for _ in range(32))
    padding = [stream.element() for _ in range(HASH_WORDS * nodes)]
    return prf_key + struct.pack(f"<{len(parameter) + len(padding)}I", *parameter, *padding)


def read_keystore(keystore, password):
    """Checks a keystore of version 5 and returns what is in its secret (expand)."""
    fields(keystore, ("version", "uuid", "path", "pubkey", "scheme", "state", "crypto"), ("description",))
    expect(keystore["version"] == 5 and keystore["path"] == "", "version or path")
    expect(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", keystore["uuid"]), "uuid")
    scheme = fields(keystore["scheme"], ("name", "params"), where="scheme")
    expect(scheme["name"] == "leanxmss", "scheme.name")
    params = fields(
        scheme["params"], (*LEAN_FIELDS, "tree_height", "lifetime_leaves", "activation_epoch"),
        ("num_active_epochs", "seed_derivation"), "scheme.params")
    expect({name: params[name] for name in LEAN_FIELDS} == LEAN_FIELDS, "scheme.params")
    height = params["tree_height"]
    expect(params["lifetime_leaves"] == 2**height, "lifetime_leaves")
    first = params["activation_epoch"]
    count = params.get("num_active_epochs", 2**height - first)
    check_state(keystore["state"], count)
    leaves = 2**(height // 2)
    expect(first % leaves == 0 and count % leaves == 0 and 0 < count <= 2**height - first, "active epochs")
    secret = decrypt(keystore["crypto"], password)
    nodes = padding_nodes(height, first // leaves, (first + count) // leaves - 1)
    expanded = expand(params.get("seed_derivation", "leansig-chacha12"), secret, nodes)
    expect(expanded[32:32 + 4 * PARAMETER_WORDS].hex() == keystore["pubkey"][64:], "the parameter is not the seed's")
    return expanded


def check_state(state, leaves):
    """The rules of EIP-8310, section 2.4, for a key in synchronized mode."""
    fields(state, ("authoritative", "authority", "capacity", "high_water", "reserved_ranges"), ("reference",), "state")
    expect(state["authoritative"] is False, "state.authoritative")
    expect(state["authority"] in ("slashing-protection", "none"), "state.authority")
    capacity = fields(state["capacity"], ("total", "consumed", "remaining"), where="state.capacity")
    expect(capacity["total"] == leaves == capacity["consumed"] + capacity["remaining"], "state.capacity")
    expect(state["reserved_ranges"] == [], "state.reserved_ranges")


def signs(keystore):
    """False for a file that was exported without its records."""
    return keystore["state"]["authority"] == "slashing-protection"


def high_water(keystore):
    """None: nothing was signed when the file was written."""
    state = keystore["state"]
    return state["high_water"] if state["high_water"] or state["capacity"]["consumed"] else None


def read_eip3076(document):
    """Reads an interchange file of EIP-3076 by its schema, without any other field. By public key: {slot: root or None}."""
    fields(document, ("metadata", "data"))
    metadata = fields(
        document["metadata"], ("interchange_format_version", "genesis_validators_root"), where="metadata")
    expect(metadata["interchange_format_version"] == "5", "metadata.interchange_format_version")
    expect(is_hex(metadata["genesis_validators_root"], 32), "metadata.genesis_validators_root")
    expect(isinstance(document["data"], list), "data")
    histories = {}
    for key in document["data"]:
        fields(key, ("pubkey", "signed_blocks", "signed_attestations"), where="data[]")
        expect(is_hex(key["pubkey"], 52), "pubkey")
        expect(key["signed_attestations"] == [], "signed_attestations")
        leaves = histories.setdefault(key["pubkey"], {})
        for block in key["signed_blocks"]:
            fields(block, ("slot",), ("signing_root",), "signed_blocks[]")
            expect(isinstance(block["slot"], str) and re.fullmatch(r"0|[1-9][0-9]*", block["slot"]), "slot")
            root = block.get("signing_root")
            expect(root is None or is_hex(root, 32), "signing_root")
            leaves[int(block["slot"])] = root
    return histories


def is_hex(text, size):
    return isinstance(text, str) and re.fullmatch(rf"0x[0-9a-f]{{{2 * size}}}", text) is not None


def read_bundle(document, password):
    """A file of `keys export --with-records`. By public key: what is in the secret, and {slot: root or None}."""
    fields(document, ("format", "version", "keys", "records"))
    expect((document["format"], document["version"]) == ("lean-keys-with-records", 1), "format or version")
    histories = read_eip3076(document["records"])
    keys = {}
    for entry in document["keys"]:
        keystore = fields(entry, ("validator_index", "keystore"), where="keys[]")["keystore"]
        pubkey = "0x" + keystore["pubkey"]
        expect(pubkey in histories, "a key without records")
        mark = high_water(keystore)
        expect(mark is None or mark <= max(histories[pubkey], default=-1), "records below the state")
        keys[pubkey] = (read_keystore(keystore, password), histories[pubkey])
    expect(len(keys) == len(document["keys"]) and set(keys) == set(histories), "keys and records differ")
    return keys


def load(path):
    """A JSON file without duplicate fields."""
    def unique(pairs):
        expect(len({name for name, _ in pairs}) == len(pairs), "a duplicate field")
        return dict(pairs)
    return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=unique)
