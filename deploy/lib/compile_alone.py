"""Compiles every source of common/, beacon/ and validator_client/ by itself, so that a missing include shows.

Usage: compile_alone.py BUILD_DIR

BUILD_DIR is a build of a preset that does not join sources (debug), with its precompiled and generated headers. Writes no
objects, which takes half of the time of a build. Remembers clean sources (source_checks.py). Prints the errors. The exit code
is 0 if there are none.
"""

import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

import source_checks

FOLDERS = ("common", "beacon", "validator_client")
# What the build writes: the object, and the list of the included files.
OUTPUT = re.compile(r" -(o|MF|MT) \S+(?= )| -MD(?= )")


def included_files(rule):
    """The files of a rule for make, without its target."""
    return shlex.split(rule.partition(":")[2].replace("\\\n", " "))


def compile_alone(entry):
    """(whether it compiles, the messages, the files that it reads)"""
    with tempfile.NamedTemporaryFile("r", suffix=".d", encoding="utf-8") as rule:
        command = [*shlex.split(OUTPUT.sub("", entry["command"])), "-fsyntax-only", "-MD", "-MF", rule.name]
        result = subprocess.run(["setpriv", "--pdeathsig", "KILL", "--", *command], cwd=entry["directory"],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        files = [os.path.join(entry["directory"], file) for file in included_files(rule.read())]
        return result.returncode == 0, result.stdout, files


def main(build_dir):
    build_dir = pathlib.Path(build_dir).resolve()
    root = build_dir.parents[1]
    entries = list(source_checks.commands_of(build_dir, FOLDERS))
    clean = source_checks.CleanResults(root, "compile_alone", source_checks.output_of("c++", "--version"))
    changed = [entry for entry in entries if not clean.holds(entry["command"])]
    print(f"{len(changed)} of {len(entries)} sources to compile", flush=True)
    failed = 0
    for entry, (compiles, messages, files) in source_checks.run_all(compile_alone, changed):
        if compiles:
            clean.keep(entry["command"], files)
        else:
            failed += 1
            print(f"{os.path.relpath(entry['file'], root)} does not compile by itself\n{messages}", flush=True)
    print(f"{len(entries) - failed} of {len(entries)} sources compile by themselves")
    return 1 if failed or not entries else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
