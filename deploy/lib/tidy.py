"""Runs clang-tidy on the sources of common/, beacon/, validator_client/ and tests/, several at a time.

Usage: tidy.py BUILD_DIR [SECONDS]

After SECONDS it begins with no further source. The exit code is 77 then, if it has found nothing so far; the next run continues.
It begins with the sources that the latest commits have changed.

Sources that CMake compiles as one are checked as one. clang-tidy then parses the headers of gRPC and Abseil once for all of
them, which takes a fifth of the time. HeaderFilterRegex in .clang-tidy matches the included sources, so each is reported.

Remembers clean sources (source_checks.py). They are checked again when one of them, a header that they include, the list of
checks or clang-tidy changes. Prints the findings. The exit code is 0 if there are none.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import time

import source_checks

FOLDERS = ("common", "beacon", "validator_client", "tests")
# Options of precompiled headers, which clang-tidy does not use, and options that only GCC has.
NOT_CLANG = re.compile(
    r" (-Winvalid-pch|-fpch-preprocess|--param=\S+|-Wno-error=(restrict|stringop-\w+)|-include \S*/cmake_pch\.hxx)(?= )")

OBJECT = re.compile(r" -o (\S+)")
TIME_IS_OVER = 77  # as exit code
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


def files_of_objects(build_dir):
    """The files from which each object was built, from ninja: {object: [file, ...]}."""
    result = {}
    for block in source_checks.output_of("ninja", "-C", build_dir, "-t", "deps").split("\n\n"):
        head, *lines = block.splitlines() or [""]
        result[head.partition(":")[0]] = [os.path.join(build_dir, line.strip()) for line in lines]
    return result


def by_latest_change(files, root):
    """The compiled files in the order in which the latest commits have changed their sources; by name without git."""
    command = ["git", "-C", root, "log", "--format=", "--name-only", "--max-count=200"]
    log = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout
    ages = {}
    for age, name in enumerate(log.split("\n")):
        ages.setdefault(os.path.join(root, name), age)
    return sorted(files, key=lambda file: (min(ages.get(str(part), len(ages)) for part in sources_of(pathlib.Path(file))), file))


def main(build_dir, seconds=None):
    end = time.monotonic() + float(seconds) if seconds else float("inf")
    build_dir = pathlib.Path(build_dir).resolve()
    root = build_dir.parents[1]
    entries = [{**entry, "command": NOT_CLANG.sub("", entry["command"])}
               for entry in source_checks.commands_of(build_dir, FOLDERS, sources_of)]
    settings = pathlib.Path(root, ".clang-tidy").read_text(encoding="utf-8")
    clean = source_checks.CleanResults(root, "tidy", source_checks.output_of("clang-tidy", "--version"), settings)
    database = build_dir / "tidy"
    database.mkdir(exist_ok=True)
    pathlib.Path(database, "compile_commands.json").write_text(json.dumps(entries), encoding="utf-8")

    def lint(file):
        if time.monotonic() > end:
            return None
        command = ["setpriv", "--pdeathsig", "KILL", "--", "clang-tidy", "-p", database, "--quiet", file]
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)

    commands = {entry["file"]: entry["command"] for entry in entries}
    changed = by_latest_change([file for file in commands if not clean.holds(commands[file])], root)
    print(f"{len(changed)} of {len(commands)} files to check", flush=True)
    read = files_of_objects(build_dir)
    found = left = 0
    for number, (file, result) in enumerate(source_checks.run_all(lint, changed), 1):
        if result is None:
            left += 1
        elif result.returncode == 0:
            clean.keep(commands[file], read.get(OBJECT.search(commands[file]).group(1), []) or [file])
            print(f"[{number}/{len(changed)}] {label_of(file, root)}", flush=True)
        else:
            found += 1
            print(f"[{number}/{len(changed)}] {label_of(file, root)}: found\n{result.stdout}"
                  f"{result.stderr if not result.stdout else ''}", flush=True)
    if left:
        print(f"the time is over: {left} files are left for the next run")
    return 1 if found else TIME_IS_OVER if left else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
