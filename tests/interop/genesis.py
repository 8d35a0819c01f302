"""Creates a genesis folder like lean-quickstart (f512c93), for two nodes that share the validators."""

import dataclasses
import pathlib
import re
import secrets
import time

from leandev import engine, network


@dataclasses.dataclass
class Node:
    """A node of the folder."""

    name: str
    port: int  # for QUIC
    metrics_port: int
    indices: list  # of its validators


def make_keys(build_dir, work_dir, validators, log_lifetime, active_slots):
    """Makes the keys of all validators, as other clients read them. Returns their folder."""
    validator = build_dir / "bin" / "lean-validator"
    keys = work_dir / "hash-sig-keys"
    keystores = network.make_keys(build_dir, work_dir / "made-keys", range(validators), log_lifetime, active_slots, quiet=True)
    command = [validator, "keys", "export", "--keystores", keystores, "--indices", f"0..{validators - 1}", "--output"]
    network.run([*command, keys, "--never-signed", "--plain", "--hash-sig-keys"], "the export of keys", quiet=True)
    return keys


def public_keys(keys_dir):
    """By index, as the manifest has them."""
    manifest = (keys_dir / "validator-keys-manifest.yaml").read_text(encoding="utf-8")
    return {int(index): key for index, key in re.findall(r"index: (\d+)\s+pubkey_hex: (\w+)", manifest)}


def make_nodes(names, validators):
    """Nodes that share the validators evenly, in turns."""
    return [
        Node(name, network.free_port(), network.free_port(), list(range(number, validators, len(names))))
        for number, name in enumerate(names)
    ]


def make_genesis(build_dir, work_dir, nodes, keys_dir, delay_s, slot_ms, log_lifetime):
    """Makes the folder: config.yaml, validators.yaml, validator-config.yaml, nodes.yaml, a key file of each node,
    hash-sig-keys. network.yaml is ours alone; without it a beacon takes the values of devnet-1."""
    folder = work_dir / "genesis"
    keys = public_keys(keys_dir)
    command = [build_dir / "bin" / "lean-beacon", "genesis", "--output", folder, "--genesis-time",
               int(time.time()) + delay_s, "--slot-ms", slot_ms, "--xmss-log-lifetime", log_lifetime]
    for node in nodes:
        listed = work_dir / f"{node.name}.yaml"
        listed.write_text("".join(f'- index: {index}\n  pubkey: "{keys[index]}"\n' for index in node.indices))
        command += ["--pubkeys-from", f"{node.name}={listed}"]
    network.run(command, "making the genesis", quiet=True)
    keys_dir.rename(folder / "hash-sig-keys")
    config, records = ["shuffle: roundrobin", "config:", "  activeEpoch: 18", '  keyType: "hash-sig"', "validators:"], []
    for node in nodes:
        key = secrets.token_hex(32)
        node_key = folder / f"{node.name}.key"
        node_key.write_text(f"{key}\n")
        enr = engine.identity(build_dir, node_key, f"127.0.0.1:{node.port}")["enr"]
        records.append(f"- {enr}\n")
        config += [f'  - name: "{node.name}"', f'    privkey: "{key}"', "    enrFields:", '      ip: "127.0.0.1"',
                   f"      quic: {node.port}", f"    metricsPort: {node.metrics_port}", f"    count: {len(node.indices)}"]
    (folder / "validator-config.yaml").write_text("\n".join(config) + "\n")
    (folder / "nodes.yaml").write_text("".join(records))
    return pathlib.Path(folder)
