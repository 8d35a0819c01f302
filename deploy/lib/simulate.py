"""Runs lean-sim with many scenarios and seeds for some time, and adds up what it has run (deploy/simulate).

Every line that lean-sim prints about a run is kept in build/simulate/runs, so that the sums are those of all runs on this
machine.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCENARIOS = ROOT / "tests/simulation/scenarios"
FOLDER = ROOT / "build/simulate"


@dataclasses.dataclass(frozen=True)
class Task:
    """Runs of one scenario and size with `seeds` seeds, in one process."""

    scenario: str  # a file of SCENARIOS; empty: no faults
    nodes: int
    validators: int
    slots: int
    seeds: int

    @property
    def name(self):
        return f"{self.scenario or 'calm'}-{self.nodes}x{self.validators}"

    def command(self, program, seed):
        size = ["--nodes", str(self.nodes), "--validators", str(self.validators), "--slots", str(self.slots)]
        file = ["--scenario", str(SCENARIOS / f"{self.scenario}.yaml")] if self.scenario else []
        return [program, *file, *size, "--seed", str(seed), "--seeds", str(self.seeds)]


# In turn: small networks meet most orders of events, large ones the sizes.
TASKS = (
    Task("storm", 4, 8, 384, 8),
    Task("storm", 9, 18, 384, 8),
    Task("blackouts", 4, 8, 384, 8),
    Task("storm", 7, 7, 2048, 2),
    Task("storm", 100, 20, 256, 8),
    Task("storm", 5, 10, 1024, 4),
    Task("blackouts", 9, 18, 384, 2),
    Task("storm", 32, 64, 192, 1),
    Task("storm", 100, 100, 128, 1),
    Task("", 1000, 1000, 8, 1),
)


class Totals:
    """Runs, slots and violations by scenario, over all runs that the file keeps."""

    def __init__(self, file):
        self.runs = collections.Counter()
        self.slots = collections.Counter()
        self.last_seed = collections.Counter()
        self.violations = 0
        self._file = file
        if file.exists():
            for line in file.read_text().splitlines():
                self._count(line)

    def add(self, name, output):
        with self._file.open("a") as file:
            for line in output.splitlines():
                if line.startswith(("seed=", "VIOLATION")):
                    file.write(f"{name} {line}\n")
                    self._count(f"{name} {line}")

    def _count(self, line):
        name, _, rest = line.partition(" ")
        if rest.startswith("VIOLATION"):
            self.violations += 1
            return
        fields = dict(re.findall(r"(\w+)=(\S+)", rest))
        self.runs[name] += 1
        self.slots[name] += int(fields["slots"])
        self.last_seed[name] = max(self.last_seed[name], int(fields["seed"]))

    def print(self):
        for name in sorted(self.runs):
            print(f"{name:24} {self.runs[name]:7d} seeds  {self.slots[name]:9d} slots")
        print(f"{'all':24} {sum(self.runs.values()):7d} seeds  {sum(self.slots.values()):9d} slots  "
              f"{self.violations} lines about violations")


def run(task, program, seed):
    """Output and exit code of one process."""
    command = ["setpriv", "--pdeathsig", "TERM", "--", *task.command(program, seed)]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    return result.stdout, result.returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("--hours", type=float, required=True)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    tasks = [task for task in TASKS if re.search(arguments.only, task.name)]
    if not tasks:
        parser.error(f"no scenario is named {arguments.only}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    totals = Totals(FOLDER / "runs")
    next_seed = {task.name: arguments.seed or totals.last_seed[task.name] + 1 for task in tasks}
    end = time.monotonic() + 3600 * arguments.hours
    violated = False
    started = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        running = {}
        while running or (time.monotonic() < end and not violated):
            while len(running) < arguments.jobs and time.monotonic() < end and not violated:
                task = tasks[started % len(tasks)]
                started += 1
                seed = next_seed[task.name]
                next_seed[task.name] += task.seeds
                running[pool.submit(run, task, arguments.program, seed)] = (task, seed)
            done, _ = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
            for future in done:
                task, seed = running.pop(future)
                output, code = future.result()
                totals.add(task.name, output)
                if code != 0:
                    violated = True
                    found = FOLDER / "violations"
                    found.mkdir(exist_ok=True)
                    (found / f"{task.name}-{seed}").write_text(output)
                    print(f"{task.name} from seed {seed}: exit code {code}\n{output}", flush=True)
    totals.print()
    return 1 if violated else 0


if __name__ == "__main__":
    sys.exit(main())
