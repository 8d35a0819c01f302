"""The list of a client's validators, and the check of its signatures by a program."""

import re
import subprocess


def read_keys(path):
    """{index: public key} of a YAML list of entries that have `index` and `pubkey` (0x hex), whatever else they have."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    keys = {}
    for entry in re.split(r"(?m)^\s*-\s+", text)[1:]:
        index = re.search(r"(?m)^\s*\"?index\"?:\s*(\d+)", entry)
        pubkey = re.search(r"(?m)^\s*\"?pubkey\"?:\s*[\"']?(?:0x)?([0-9a-fA-F]+)", entry)
        if index is None or pubkey is None or len(pubkey[1]) != 104:
            raise ValueError(f"{path}: an entry without an index and a pubkey of 52 bytes")
        keys[int(index[1])] = bytes.fromhex(pubkey[1])
    if not keys:
        raise ValueError(f"{path}: no validators")
    return keys


def verify(command, items):
    """Asks `command` about (pubkey, slot, root, signature) tuples: one line of hex each on its standard input, one line
    each on its output, "ok" or what is wrong. Returns those lines."""
    text = "".join(f"{pubkey.hex()} {slot} {root.hex()} {signature.hex()}\n" for pubkey, slot, root, signature in items)
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, text=True, check=True)
    answers = done.stdout.splitlines()
    if len(answers) != len(items):
        raise ValueError(f"the verifier answered {len(answers)} of {len(items)} lines")
    return answers
