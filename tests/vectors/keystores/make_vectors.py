"""Writes the vectors of this folder. Run it after a change of the format; without one it writes the same bytes.

The keys are those that leanSig f10dcbe itself made (tests/vectors/leansig): their public keys and PRF keys are leanSig's,
and the seeds are what rand 0.9's StdRng::seed_from_u64, which leanSig was given, makes of a number.
"""

import copy
import gzip
import hashlib
import json
import pathlib
import struct
import sys

import argon2.low_level
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "e2e" / "support"))
import keystores  # noqa: E402  pylint: disable=wrong-import-position

PASSWORD = "𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑"  # EIP-2335's
SCRYPT = {"function": "scrypt", "params": {"n": 4096, "r": 8, "p": 1}}
PBKDF2 = {"function": "pbkdf2", "params": {"c": 4096, "prf": "hmac-sha256"}}
ARGON2ID = {"function": "argon2id", "params": {"t": 2, "m": 4096, "p": 2}}


def fixed_bytes(name, size):
    """Salts and initial vectors, the same in every run."""
    return hashlib.shake_128(name.encode()).digest(size)


def seed_from_u64(state):
    """rand_core 0.9's: PCG32."""
    seed = b""
    for _ in range(8):
        state = (state * 6364136223846793005 + 11634580027462260723) % 2**64
        value = ((state >> 18) ^ state) >> 27 & 0xFFFFFFFF
        turn = state >> 59
        seed += struct.pack("<I", (value >> turn | value << (32 - turn) % 32) & 0xFFFFFFFF)
    return seed


class LeanSigKey:
    """A key of tests/vectors/leansig."""

    def __init__(self, name):
        folder = HERE.parent / "leansig"
        with gzip.open(folder / f"{name}.json.gz") as file:
            facts = json.load(file)
        self.secret = (folder / f"{name}.sk.ssz").read_bytes()
        self.pubkey = facts["public_key"]
        self.height = facts["log_lifetime"]
        self.seed = seed_from_u64(int(facts["rng"].split("(")[1].rstrip(")")))
        self.first, self.count = struct.unpack("<QQ", self.secret[52:68])
        leaves = 2**(self.height // 2)
        nodes = keystores.padding_nodes(
            self.height, self.first // leaves, (self.first + self.count) // leaves - 1)
        self.explicit = keystores.expand("leansig-chacha12", self.seed, nodes)
        assert self.explicit[:52] == self.secret[:52], "the seed does not give leanSig's key"
        signature = facts["signatures"][0]
        self.signature = {name: signature[name] for name in ("epoch", "message", "signature")}

    def old_file(self):
        """The plain key file that is the secret of our version 4 (docs/crypto.md)."""
        top, left = struct.unpack("<I", self.secret[68:72])[0], struct.unpack("<I", self.secret[80:84])[0]
        content = (b"LEANXMSS" + struct.pack("<II", self.height, 0) + self.secret[:52] +
                   struct.pack("<QQ", self.first, self.first + self.count) + self.secret[top:left])
        return content + hashlib.sha256(content).digest()


def kdf_module(name, kdf):
    module = copy.deepcopy(kdf)
    module["params"].update(dklen=32, salt=fixed_bytes(name + "/salt", 32).hex())
    module["message"] = ""
    return module


def crypto_module(name, secret, kdf, password=PASSWORD):
    module = kdf_module(name, kdf)
    key = keystores.derive_key(module, password)
    iv = fixed_bytes(name + "/iv", 12)
    message = AESGCM(key).encrypt(iv, secret, None)
    return {
        "kdf": module,
        "checksum": {"function": "sha256", "params": {}, "message": hashlib.sha256(key[16:] + message).hexdigest()},
        "cipher": {"function": "aes-256-gcm", "params": {"iv": iv.hex()}, "message": message.hex()}}


def uuid(name):
    digits = bytearray(fixed_bytes(name + "/uuid", 16))
    digits[6], digits[8] = digits[6] & 15 | 64, digits[8] & 63 | 128
    text = digits.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def keystore(name, key, kdf=PBKDF2, form="leansig-chacha12", high_water=None):
    consumed = 0 if high_water is None else high_water + 1 - key.first
    return {
        "version": 5, "uuid": uuid(name), "description": "a test vector", "path": "", "pubkey": key.pubkey,
        "scheme": {"name": "leanxmss", "params": {
            "hash": "poseidon2-koalabear", "tree_height": key.height, "hypertree_layers": 1, "encoding": "target_sum",
            "winternitz_w": 8, "dimension": 64, "target_sum": 375, "index_mode": "synchronized",
            "activation_epoch": key.first, "lifetime_leaves": 2**key.height, "num_active_epochs": key.count,
            "seed_derivation": form}},
        "state": {
            "authoritative": False, "authority": "slashing-protection",
            "capacity": {"total": key.count, "consumed": consumed, "remaining": key.count - consumed},
            "high_water": high_water or 0, "reserved_ranges": []},
        "crypto": crypto_module(name, key.seed if form == "leansig-chacha12" else key.explicit, kdf)}


def old_keystore(name, key):
    module = kdf_module(name, PBKDF2)
    derived = keystores.derive_key(module, PASSWORD)
    iv = fixed_bytes(name + "/iv", 16)
    encryptor = Cipher(algorithms.AES(derived[:16]), modes.CTR(iv)).encryptor()
    message = encryptor.update(key.old_file()) + encryptor.finalize()
    return {
        "version": 4, "uuid": uuid(name), "description": "a test vector", "path": "", "pubkey": key.pubkey,
        "scheme": {"function": "leansig-xmss", "params": {
            "log_lifetime": key.height, "active_first_slot": key.first, "active_end_slot": key.first + key.count}},
        "crypto": {
            "kdf": module,
            "checksum": {"function": "sha256", "params": {}, "message": hashlib.sha256(derived[16:] + message).hexdigest()},
            "cipher": {"function": "aes-128-ctr", "params": {"iv": iv.hex()}, "message": message.hex()}}}


def records(leaves_by_key):
    return {
        "metadata": {"interchange_format_version": "5", "genesis_validators_root": "0x" + "00" * 32},
        "data": [{
            "pubkey": "0x" + pubkey,
            "signed_blocks": [
                {"slot": str(slot), "signing_root": root} if root else {"slot": str(slot)} for slot, root in leaves],
            "signed_attestations": []} for pubkey, leaves in leaves_by_key.items()]}


def root(number):
    return "0x" + bytes([number] * 32).hex()


def write(name, vector):
    text = json.dumps(vector, indent=1, ensure_ascii=False) + "\n"
    (HERE / f"{name}.json").write_text(text, encoding="utf-8")


def opens(name, about, value, key, **more):
    """A keystore that opens and gives the key."""
    write(name, {
        "kind": "keystore", "about": about, "valid": True, "password": PASSWORD, "keystore": value,
        "prf_key": key.secret[:32].hex(), "parameter": key.secret[32:52].hex(), "signs": keystores.signs(value)
        if value["version"] == 5 else True, "signature": key.signature, **more})


def refused(name, about, value, error, stage="open", password=PASSWORD):
    """A keystore that is refused with an error that names `error`: when it is opened, or once its tree is known."""
    write(name, {
        "kind": "keystore", "about": about, "valid": False, "password": password, "keystore": value, "error": error,
        "stage": stage})


def changed(value, path, new):
    """A copy with another value at a path; None removes the field."""
    value = copy.deepcopy(value)
    *folders, last = path.split(".")
    inner = value
    for folder in folders:
        inner = inner[folder]
    if new is None:
        del inner[last]
    else:
        inner[last] = new
    return value


def flipped(text):
    return ("1" if text[0] == "0" else "0") + text[1:]


def write_valid(key, full, sparse):
    opens("seed_scrypt", "a 32-byte seed under scrypt", keystore("seed_scrypt", key, SCRYPT), key)
    opens("seed_pbkdf2", "the same under pbkdf2", keystore("seed_pbkdf2", key, PBKDF2), key)
    opens("seed_argon2id", "the same under argon2id", keystore("seed_argon2id", key, ARGON2ID), key)
    opens("seed_sparse", "a key that is active late in its lifetime", keystore("seed_sparse", sparse), sparse)
    opens("seed_full", "a key with all leaves of its lifetime", keystore("seed_full", full), full)
    opens(
        "draft_fields_only", "without the two fields that we add to scheme.params",
        changed(changed(keystore("draft_fields_only", full), "scheme.params.num_active_epochs", None),
                "scheme.params.seed_derivation", None), full)
    opens("explicit_seed", "a key that was not made from 32 bytes: PRF key, parameter and padding nodes",
          keystore("explicit_seed", sparse, form="leansig-explicit"), sparse)
    opens("no_checksum", "the tag alone checks the password",
          changed(keystore("no_checksum", key), "crypto.checksum", None), key)
    opens("signed_before", "its state knows of signed slots", keystore("signed_before", key, high_water=12), key,
          high_water=12)
    opens("recovery_only", "exported without its records: opens, and never signs",
          changed(keystore("recovery_only", key, high_water=12), "state.authority", "none"), key, high_water=12)
    opens("version_4", "our version 4, which is read and upgraded", old_keystore("version_4", sparse), sparse)


def write_refused(key):
    base = keystore("refused", key)
    for name, path, new in (
            ("scheme_unknown", "scheme.name", "leansphincs"),
            ("hash_unknown", "scheme.params.hash", "poseidon1-koalabear"),
            ("hypertree", "scheme.params.hypertree_layers", 2),
            ("dimension_of_draft", "scheme.params.dimension", 46),
            ("target_sum_of_draft", "scheme.params.target_sum", 200),
            ("counter_mode", "scheme.params.index_mode", "counter"),
            ("lifetime_is_not_the_trees", "scheme.params.lifetime_leaves", 512),
            ("no_scheme", "scheme", None),
            ("version_6", "version", 6),
            ("no_state", "state", None),
            ("authoritative", "state.authoritative", True),
            ("authority_external", "state.authority", "external"),
            ("capacity_does_not_add_up", "state.capacity", {"total": 32, "consumed": 1, "remaining": 32}),
            ("cipher_of_version_4", "crypto.cipher.function", "aes-128-ctr"),
            ("cipher_unknown", "crypto.cipher.function", "chacha20-poly1305"),
            ("unknown_field", "crypto.cipher.nonce", "00"),
            ("tag_cut_off", "crypto.cipher.message", base["crypto"]["cipher"]["message"][:64])):
        refused(name, f"{path} is {json.dumps(new)}", changed(base, path, new),
                {"tag_cut_off": "wrong password", "no_scheme": "scheme.name", "no_state": "state.authoritative"}.get(name, path))
    tag = base["crypto"]["cipher"]["message"]
    refused("tag_wrong", "the last byte of the tag is another one, and the checksum is absent",
            changed(changed(base, "crypto.cipher.message", tag[:-2] + flipped(tag[-2:])), "crypto.checksum", None),
            "wrong password")
    refused("password_wrong", "another password", base, "wrong password", password="testpassword")
    for name, function, params in (
            ("scrypt_too_costly", "scrypt", {"n": 1 << 20, "r": 8, "p": 1}),
            ("argon2id_too_costly", "argon2id", {"t": 1, "m": 1 << 30, "p": 1}),
            ("pbkdf2_too_costly", "pbkdf2", {"c": 1 << 30, "prf": "hmac-sha256"})):
        params.update(dklen=32, salt="00" * 32)
        refused(name, "refused before anything is allocated or computed",
                changed(base, "crypto.kdf", {"function": function, "params": params, "message": ""}),
                "crypto.kdf.params")
    refused("pubkey_of_another_parameter", "the seed does not give the parameter in pubkey",
            changed(base, "pubkey", base["pubkey"][:64] + "00" * 20), "pubkey")
    refused("pubkey_of_another_root", "the tree of the seed has another root than pubkey",
            changed(base, "pubkey", flipped(base["pubkey"])), "pubkey", stage="tree")
    refused("active_epochs_changed", "scheme.params is immutable: another number of leaves gives another root",
            changed(changed(base, "scheme.params.num_active_epochs", 64), "state.capacity",
                    {"total": 64, "consumed": 0, "remaining": 64}), "scheme.params", stage="tree")
    short = changed(base, "crypto", crypto_module("short", key.seed[:31], PBKDF2))
    refused("seed_of_31_bytes", "the seed has another size", short, "crypto.cipher.message")
    ranges = [{"id": "a", "start": 0, "end": 15, "high_water": 3}, {"id": "b", "start": 16, "end": 31, "high_water": 16}]
    refused("ranges", "disjoint ranges are for counter mode", changed(base, "state.reserved_ranges", ranges),
            "state.reserved_ranges: is for keys in counter mode")
    overlap = copy.deepcopy(ranges)
    overlap[1]["start"] = 15
    refused("ranges_overlap", "two ranges share a leaf", changed(base, "state.reserved_ranges", overlap),
            "state.reserved_ranges[1]: shares leaves")
    outside = copy.deepcopy(ranges)
    outside[1]["high_water"] = 15
    refused("range_consumed_outside", "a range has consumed a leaf outside of it",
            changed(base, "state.reserved_ranges", outside), "state.reserved_ranges[1]: its start")


def write_records(key, other):
    both = records({key.pubkey: [(3, root(3)), (5, None), (4, root(4))], other.pubkey: []})
    histories = {"0x" + key.pubkey: {"3": root(3), "4": root(4), "5": None}, "0x" + other.pubkey: {}}
    write("records", {"kind": "records", "about": "EIP-3076: three leaves of one key, none of the other", "valid": True,
                      "records": both, "leaves": histories})
    for name, path, new in (
            ("records_attestation", "data", [dict(both["data"][0], signed_attestations=[
                {"source_epoch": "1", "target_epoch": "2"}])]),
            ("records_extra_field", "data", [dict(both["data"][0], note="x")]),
            ("records_of_bls_key", "data", [dict(both["data"][0], pubkey="0x" + "ab" * 48)]),
            ("records_slot_is_a_number", "data", [dict(both["data"][0], signed_blocks=[{"slot": 3}])]),
            ("records_version_4", "metadata.interchange_format_version", "4")):
        write(name, {"kind": "records", "about": f"{path} differs", "valid": False, "records": changed(both, path, new),
                     "error": path})

    stored = keystore("regression", key, high_water=12)
    for name, leaves, signs in (
            ("mark_reached", [(12, root(1))], True), ("mark_passed", [(30, None)], True),
            ("mark_went_back", [(11, root(1))], False), ("mark_lost", [], False)):
        write(name, {
            "kind": "regression", "about": "what a start says to these records of a key whose state has high_water 12",
            "password": PASSWORD, "keystore": stored, "records": records({key.pubkey: leaves}), "signs": signs})

    bundle = {
        "format": "lean-keys-with-records", "version": 1,
        "keys": [{"validator_index": 7, "keystore": keystore("bundle_7", key, high_water=5)},
                 {"validator_index": 2, "keystore": keystore("bundle_2", other)}],
        "records": both}
    write("bundle", {"kind": "bundle", "about": "two keys and their records in one file", "valid": True,
                     "password": PASSWORD, "bundle": bundle, "leaves": histories,
                     "indices": {"7": "0x" + key.pubkey, "2": "0x" + other.pubkey}})
    for name, path, new, error in (
            ("bundle_without_records", "records.data", both["data"][:1], "records.data"),
            ("bundle_with_old_records", "records", records({key.pubkey: [(4, root(4))], other.pubkey: []}), "keys[0]"),
            ("bundle_of_bare_copy", "keys", [{"validator_index": 7, "keystore": changed(
                bundle["keys"][0]["keystore"], "state.authority", "none")}, bundle["keys"][1]], "keys[0]")):
        write(name, {"kind": "bundle", "about": f"{path} differs", "valid": False, "password": PASSWORD,
                     "bundle": changed(bundle, path, new), "error": error})


def main():
    assert argon2.low_level.ARGON2_VERSION == 0x13
    key, full, sparse = (LeanSigKey(name) for name in ("l8_min", "l8_full", "l8_sparse_250_6"))
    write_valid(key, full, sparse)
    write_refused(key)
    write_records(key, sparse)


if __name__ == "__main__":
    main()
