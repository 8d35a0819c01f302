"""Compiles every source of common/, beacon/ and validator_client/ by itself, so that a missing include shows.

Usage: compile_alone.py BUILD_DIR

BUILD_DIR is a build of a preset that does not join sources (debug), with its precompiled and generated headers. Writes no
objects, which takes half of the time of a build. Prints the errors. The exit code is 0 if there are none.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

FOLDERS = ("common", "beacon", "validator_client")
OUTPUT = re.compile(r" -o \S+(?= )")


def compile_alone(entry):
    command = shlex.split(OUTPUT.sub("", entry["command"]))
    command = ["setpriv", "--pdeathsig", "KILL", "--", *command, "-fsyntax-only"]
    return subprocess.run(command, cwd=entry["directory"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)


def main(build_dir):
    build_dir = pathlib.Path(build_dir).resolve()
    root = build_dir.parents[1]
    entries = []
    for entry in json.loads(pathlib.Path(build_dir, "compile_commands.json").read_text(encoding="utf-8")):
        file = pathlib.Path(entry["file"]).resolve()
        if file.is_relative_to(root) and file.relative_to(root).parts[0] in FOLDERS:
            entries.append(entry)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for entry, result in zip(entries, pool.map(compile_alone, entries)):
            if result.returncode != 0:
                failed += 1
                print(f"{os.path.relpath(entry['file'], root)} does not compile by itself\n{result.stdout}", flush=True)
    print(f"{len(entries) - failed} of {len(entries)} sources compile by themselves")
    return 1 if failed or not entries else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
