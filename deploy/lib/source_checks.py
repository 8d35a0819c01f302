"""Checks single sources with a compiler or a linter, several at a time, and remembers which were clean.

The results lie beside ccache's objects, in ccache's folder: whoever keeps that folder keeps both, and another checkout of the
same sources uses them. A result holds for the same command, tool, settings and development packages, and for the same contents
of every file of the project that the source includes.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import subprocess
import time

KEPT_DAYS = 30  # since a result was last used


def output_of(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def commands_of(build_dir, folders, sources_of=lambda file: [file]):
    """The entries of compile_commands.json whose sources are in one of the folders of the project."""
    root = build_dir.parents[1]
    for entry in json.loads(pathlib.Path(build_dir, "compile_commands.json").read_text(encoding="utf-8")):
        file = pathlib.Path(entry["file"]).resolve()
        if any(path.is_relative_to(root) and path.relative_to(root).parts[0] in folders for path in sources_of(file)):
            yield {"directory": entry["directory"], "command": entry["command"], "file": str(file)}


def run_all(check, items):
    """Calls check(item) for the items, as many at a time as there are cores. Yields (item, result) as they end."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        runs = {pool.submit(check, item): item for item in items}
        for done in concurrent.futures.as_completed(runs):
            yield runs[done], done.result()


class CleanResults:
    """The clean results of one tool. For one thread. The commands contain absolute paths below `root`."""

    def __init__(self, root, name, *settings):
        self._root = pathlib.Path(root)
        packages = output_of("dpkg-query", "--show", "*-dev")
        self._settings = [name, packages, *settings]
        self._folder = pathlib.Path(output_of("ccache", "--get-config", "cache_dir").strip(), "clean_sources")
        self._folder.mkdir(parents=True, exist_ok=True)
        self._digests = {}
        for result in self._folder.iterdir():
            if time.time() - result.stat().st_mtime > KEPT_DAYS * 86400:
                result.unlink(missing_ok=True)

    def holds(self, command):
        """Whether the source of this command was clean, and nothing that it reads has changed."""
        result = self._result(command)
        try:
            files = json.loads(result.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        if any(self._digest(path) != digest for path, digest in files.items()):
            return False
        os.utime(result)
        return True

    def keep(self, command, files):
        """Remembers that the source is clean. `files` are those that it reads; those outside of the project are left out."""
        inside = [path for path in (pathlib.Path(file).resolve() for file in files) if path.is_relative_to(self._root)]
        # A precompiled header differs from build to build; what it contains are the headers of packages.
        names = sorted(str(path.relative_to(self._root)) for path in inside if path.suffix != ".gch")
        result = self._result(command)
        new = result.with_name(f"{result.name}.{os.getpid()}")
        new.write_text(json.dumps({name: self._digest(name) for name in names}), encoding="utf-8")
        new.rename(result)

    def _result(self, command):
        parts = [*self._settings, command.replace(str(self._root), ".")]
        return self._folder / hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def _digest(self, name):
        if name not in self._digests:
            try:
                # Files that CMake writes contain absolute paths.
                contents = pathlib.Path(self._root, name).read_bytes().replace(bytes(self._root), b".")
                self._digests[name] = hashlib.sha256(contents).hexdigest()
            except OSError:
                self._digests[name] = None
        return self._digests[name]
