"""Programs in Go, which tests use as independent checks. They are built with the versions that their go.sum pins, if there
is a compiler and the modules can be downloaded.

`go_programs.py FOLDER` builds all of them in FOLDER, so that no test has to, and says which cannot be built.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

INTEROP = pathlib.Path(__file__).resolve().parents[2] / "interop"
TOOLS = INTEROP / "go-tools"
# The tools of other teams, and the packages of TOOLS that build them.
PACKAGES = {
    "ghz": "github.com/bojand/ghz/cmd/ghz",
    "grpcurl": "github.com/fullstorydev/grpcurl/cmd/grpcurl",
}


def find_go(module):
    """Returns the path of a compiler for the module in this folder, or an empty path and the reason why there is none."""
    needed = re.search(r"^go (\d+)\.(\d+)", (module / "go.mod").read_text(encoding="ascii"), re.M)
    needed = tuple(map(int, needed.groups()))
    found = []
    for path in filter(None, (shutil.which("go"), "/usr/local/go/bin/go")):
        said = subprocess.run([path, "version"], capture_output=True, text=True, check=False).stdout
        version = re.search(r"go(\d+)\.(\d+)", said)
        if version and tuple(map(int, version.groups())) >= needed:
            return path, ""
        found.append(said.strip())
    return "", f"Go {needed[0]}.{needed[1]} is not installed; found: {', '.join(found) or 'none'}"


def build(module, package, program):
    """Builds a package of the module in this folder, unless the program is newer than the module. Returns why that is not
    possible, or an empty text. Several tests may build and use a program at the same time."""
    sources = [path for path in module.iterdir() if path.suffix in (".go", ".mod", ".sum")]
    if program.exists() and program.stat().st_mtime > max(path.stat().st_mtime for path in sources):
        return ""
    go, why = find_go(module)
    if why:
        return why
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly -buildvcs=false", "GOMAXPROCS": "2"}

    def run(*arguments):
        return subprocess.run([go, *arguments], cwd=module, env=environment, capture_output=True, text=True, check=False)

    if run("mod", "download").returncode != 0:
        return "the modules of go.sum cannot be downloaded"
    new = program.with_name(f"{program.name}.{os.getpid()}")
    built = run("build", "-o", new, package)
    if built.returncode != 0:
        raise RuntimeError(f"{package} does not build:\n{built.stderr}")
    new.replace(program)
    return ""


def tool(name, folder):
    """Returns the path of a tool of another team, or an empty path and the reason why there is none. It is the program
    that the variable of this name in capitals names, or that is on PATH, or one that is built in this folder."""
    chosen = os.environ.get(name.upper()) or shutil.which(name)
    if chosen:
        return chosen, ""
    program = folder / name
    why = build(TOOLS, PACKAGES[name], program)
    if why:
        return "", f"{name} is not installed (not on PATH, and {name.upper()} is not set), and cannot be built: {why}"
    return program, ""


def peer(folder):
    """Returns the path of the peer in Go, built in this folder, or an empty path and the reason why there is none."""
    program = folder / "lean-go-peer"
    why = build(INTEROP / "go-peer", ".", program)
    return ("", why) if why else (program, "")


def main():
    folder = pathlib.Path(sys.argv[1])
    for _, why in (peer(folder), *(tool(name, folder) for name in PACKAGES)):
        if why:
            print(why)


if __name__ == "__main__":
    main()
