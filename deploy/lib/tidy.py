"""Runs clang-tidy on the sources of common/, beacon/, validator_client/ and tests/, several at a time.

Usage: tidy.py BUILD_DIR

Sources that CMake compiles as one are checked as one. clang-tidy then parses the headers of gRPC and Abseil once for all of
them, which takes a fifth of the time. HeaderFilterRegex in .clang-tidy matches the included sources, so each is reported.

BUILD_DIR/tidy records clean sources. They are checked again when one of them, a header of the project that they include, the
list of checks or clang-tidy changes. Prints the findings. The exit code is 0 if there are none.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

FOLDERS = ("common", "beacon", "validator_client", "tests")
# Options of precompiled headers, which clang-tidy does not use, and options that only GCC has.
NOT_CLANG = re.compile(
    r" (-Winvalid-pch|-fpch-preprocess|-Wno-error=(restrict|stringop-\w+)|-include \S*/cmake_pch\.hxx)(?= )")

OBJECT = re.compile(r" -o (\S+)")
UNITY_PART = re.compile(r'^#include "(.+\.cpp)"$', re.MULTILINE)


def sources_of(file):
    """The sources in a compiled file: itself, or the files that CMake compiles as one."""
    if "Unity" not in file.parts:
        return [file]
    return [pathlib.Path(part) for part in UNITY_PART.findall(file.read_text(encoding="utf-8"))]


def label_of(file, root):
    """The name of a compiled file in reports: its folder and its sources."""
    sources = [os.path.relpath(path, root) for path in sources_of(pathlib.Path(file))]
    return f"{os.path.dirname(sources[0])}: {' '.join(os.path.basename(source) for source in sources)}"


def files_of_objects(build_dir, root):
    """The project's files from which each object was built, from ninja: {object: [file, ...]}."""
    listing = subprocess.run(
        ["ninja", "-C", build_dir, "-t", "deps"], stdout=subprocess.PIPE, text=True, check=True).stdout
    result = {}
    for block in listing.split("\n\n"):
        head, *lines = block.splitlines() or [""]
        paths = [pathlib.Path(build_dir, line.strip()).resolve() for line in lines if line.strip()]
        result[head.partition(":")[0]] = sorted(str(path) for path in paths if path.is_relative_to(root))
    return result


def digest(parts):
    state = hashlib.sha256()
    for part in parts:
        state.update(len(part).to_bytes(8, "little") + part)
    return state.hexdigest()


def main(build_dir):
    build_dir = pathlib.Path(build_dir).resolve()
    root = build_dir.parents[1]
    commands = json.loads(pathlib.Path(build_dir, "compile_commands.json").read_text(encoding="utf-8"))
    entries = []
    objects = {}
    for entry in commands:
        file = pathlib.Path(entry["file"]).resolve()
        if any(path.is_relative_to(root) and path.relative_to(root).parts[0] in FOLDERS for path in sources_of(file)):
            command = NOT_CLANG.sub("", entry["command"])
            entries.append({"directory": entry["directory"], "command": command, "file": str(file)})
            objects[str(file)] = OBJECT.search(command).group(1)
    sources = {entry["file"]: entry["command"] for entry in entries}
    version = subprocess.run(["clang-tidy", "--version"], stdout=subprocess.PIPE, check=True).stdout
    settings = pathlib.Path(root, ".clang-tidy").read_bytes()
    files = files_of_objects(build_dir, root)
    memory = build_dir / "tidy"
    memory.mkdir(exist_ok=True)
    pathlib.Path(memory, "compile_commands.json").write_text(json.dumps(entries), encoding="utf-8")

    def mark_of(source):
        read = files.get(objects[source], []) or [source]
        contents = [pathlib.Path(path).read_bytes() for path in read if os.path.exists(path)]
        return memory / digest([version, settings, sources[source].encode(), *contents])

    def lint(source):
        command = ["setpriv", "--pdeathsig", "KILL", "--", "clang-tidy", "-p", memory, "--quiet", source]
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)

    changed = {source: mark_of(source) for source in sorted(sources)}
    changed = {source: mark for source, mark in changed.items() if not mark.exists()}
    print(f"{len(changed)} of {len(sources)} files to check", flush=True)
    found = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        runs = {pool.submit(lint, source): source for source in changed}
        for number, done in enumerate(concurrent.futures.as_completed(runs), 1):
            source, result = runs[done], done.result()
            if result.returncode == 0:
                changed[source].touch()
                print(f"[{number}/{len(changed)}] {label_of(source, root)}", flush=True)
            else:
                found += 1
                print(f"[{number}/{len(changed)}] {label_of(source, root)}: found\n{result.stdout}"
                      f"{result.stderr if not result.stdout else ''}", flush=True)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
