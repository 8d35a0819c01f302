"""What the tests of the kit share. Importing it makes leanconformance importable, with the stubs of this build."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import e2e
from leandev.processes import Process, wait_until

HERE = pathlib.Path(__file__).resolve().parent
NAIVE_CLIENT = HERE / "naive_client.py"
PYTHON_CLIENT = HERE / "python" / "validator_client.py"
VERIFIER = e2e.BUILD_DIR / "bin" / "lean-conformance-verifier"
TIMEOUT_S = 800

sys.path.insert(0, str(HERE))
os.environ["LEAN_STUBS"] = str(e2e.BUILD_DIR / "python")


def judge(test, script, *arguments):
    """Runs a script of the kit. Returns its exit code, {rule: verdict}, and what it printed."""
    report = test.directory / "report.json"
    done = subprocess.run(
        [str(part) for part in (HERE / script, *arguments[:1], "--json", report, *arguments[1:])],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT_S, check=False)
    test.assertTrue(report.exists(), done.stdout)
    return done.returncode, {row["rule"]: row["verdict"] for row in json.loads(report.read_text())}, done.stdout


def judge_client(test, keystores, slot_ms, *arguments):
    """judge() of a client: more options, "--", and its command."""
    lifetime = e2e.XMSS_LOG_LIFETIME
    return judge(
        test, "judge_client", f"--keys={keystores}", "--slot-ms", slot_ms, "--xmss-log-lifetime", lifetime, "--log",
        test.directory / "client.log", "--verifier", f"{VERIFIER} {lifetime}", *arguments)


def start_signer(test, keystores, genesis_dir, listen=None, *arguments, prefix=()):
    """A signer, by default on a socket in a folder of its own, over a copy of the keys. Returns the process, the copy and the
    address. `prefix`: a command that it is run under."""
    folder = test.directory / "signer"
    folder.mkdir(mode=0o700)
    keys = folder / "keys"
    shutil.copytree(keystores.parent, keys)
    address = listen or f"unix:{folder / 'socket'}"
    process = Process(
        "signer",
        [
            *(e2e.BUILD_DIR / "bin" / "lean-validator", "sign-server", "--keystores", keys / keystores.name),
            *("--genesis", genesis_dir, "--records", folder / "records", "--new-keys", "--listen", address),
            *arguments,
        ],
        test.directory / "signer.log", prefix)
    test.addCleanup(process.stop)

    def listens():
        test.assertTrue(process.running(), process.log_tail())
        return "signer listening" in process.log_tail()

    wait_until(listens, e2e.PATIENCE_S, "the signer to listen")
    return process, keys / keystores.name, address


def make_genesis(output, keystores, genesis_time, slot_ms):
    """A genesis folder for a given moment."""
    command = [
        *(e2e.BUILD_DIR / "bin" / "lean-beacon", "genesis", "--output", output, "--genesis-time", genesis_time),
        *("--slot-ms", slot_ms, "--xmss-log-lifetime", e2e.XMSS_LOG_LIFETIME),
    ]
    for file in keystores:
        command += ["--pubkeys-from", file]
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)
