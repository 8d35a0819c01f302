"""Runs the tests that replay vectors: several processes at a time, each with a share of the files.

Usage: LEAN_VECTORS=DIR run_vectors.py BUILD_DIR REPORT_DIR

Writes one GoogleTest XML file for each run to REPORT_DIR. Prints only failures. The exit code is 0 if all runs passed.
"""

import concurrent.futures
import os
import pathlib
import subprocess
import sys


def run(program, report, shard, shards):
    """Runs one share. Returns (exit code, output)."""
    environment = dict(os.environ, GTEST_TOTAL_SHARDS=str(shards), GTEST_SHARD_INDEX=str(shard))
    command = ["setpriv", "--pdeathsig", "KILL", "--", program, f"--gtest_output=xml:{report}", "--gtest_brief=1"]
    report.touch()  # stays empty, and counts as a failure, when the run does not get to write it
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True,
        errors="replace")
    return done.returncode, done.stdout


def main(build_dir, report_dir):
    names = pathlib.Path(build_dir, "vector_tests.txt").read_text(encoding="utf-8").split()
    shards = os.cpu_count() or 1
    failed = False
    # Threads only wait here; --pdeathsig follows the thread, which lives until its run has ended.
    with concurrent.futures.ThreadPoolExecutor(shards) as pool:
        runs = {}
        for name in names:
            for shard in range(shards):
                report = pathlib.Path(report_dir, f"{name}-{shard}.xml")
                program = pathlib.Path(build_dir, "bin", name)
                runs[pool.submit(run, program, report, shard, shards)] = (name, shard)
        for done in concurrent.futures.as_completed(runs):
            name, shard = runs[done]
            code, output = done.result()
            print(f"{name}, part {shard + 1} of {shards}: {'passed' if code == 0 else f'exit code {code}'}", flush=True)
            if code != 0:
                failed = True
                print(output, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
