"""Checks the crates of Cargo.lock by deny.toml: licences, sources, forbidden crates and duplicate versions.

Reads `cargo metadata` on its standard input. Exit code 1: a crate violates a rule.
"""

import json
import pathlib
import re
import sys
import tomllib

REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"


def allows(expression, allowed):
    """Whether an SPDX expression can be met with the allowed licences. `A/B` is an old way to write `A OR B`."""
    tokens = re.findall(r"\(|\)|[^\s()]+", expression.replace("/", " OR "))

    def any_of():
        result = all_of()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            result = all_of() or result
        return result

    def all_of():
        result = one()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            result = one() and result
        return result

    def one():
        name = tokens.pop(0)
        if name == "(":
            result = any_of()
            tokens.pop(0)
            return result
        if tokens and tokens[0] == "WITH":
            name = f"{name} {tokens.pop(0)} {tokens.pop(0)}"
        return name in allowed

    return any_of()


def faults(packages, policy):
    """What does not fit, a line each."""
    allowed = set(policy["licenses"]["allow"])
    versions = {}
    for package in packages:
        name = f"{package['name']} {package['version']}"
        versions.setdefault(package["name"], set()).add(package["version"])
        if package["source"] is None:
            if package["publish"] != []:
                yield f"{name} is a crate of this machine"
            continue  # ours
        if package["source"] != REGISTRY:
            yield f"{name} comes from {package['source']}"
        if not package["license"]:
            yield f"{name} names no licence"
        elif not allows(package["license"], allowed):
            yield f"{name} has the licence {package['license']}"
    for ban in policy["bans"]["deny"]:
        found = versions.get(ban["crate"], set())
        if ban.get("deny-multiple-versions"):
            if len(found) > 1:
                yield f"{ban['crate']} is there in several versions: {', '.join(sorted(found))}"
        elif found:
            yield f"{ban['crate']} must not be there"


def main():
    policy = tomllib.loads((pathlib.Path(__file__).parent / "deny.toml").read_text(encoding="utf-8"))
    packages = json.load(sys.stdin)["packages"]
    found = list(faults(packages, policy))
    print("\n".join(found) or f"{len(packages)} crates fit deny.toml")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
