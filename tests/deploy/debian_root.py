"""A separate Debian in a folder, made by debootstrap. Needs root, a network and a few minutes."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import urllib.request

ARCHIVE = os.environ.get("LEAN_DEBIAN_ARCHIVE", "http://deb.debian.org/debian")
# What is in the folder, with its processes, ends with the command.
CHROOT = """
mount --make-rprivate /
mount -t proc proc "$0/proc"
mount --bind /dev "$0/dev"
[ -z "$LEAN_OWN_NETWORK" ] || ip link set lo up
exec chroot "$0" "$@"
"""


def missing():
    """Why it cannot be made; empty: it can."""
    if os.geteuid() != 0:
        return "only root can change the root folder"
    if not shutil.which("debootstrap"):
        return "debootstrap is not installed"
    if subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], capture_output=True, check=False).returncode != 0:
        return "namespaces cannot be had (unshare)"
    try:
        with urllib.request.urlopen(f"{ARCHIVE}/dists/bookworm/Release", timeout=20):
            return ""
    except OSError as error:
        return f"debootstrap could not fetch from {ARCHIVE}: {error}"


class DebianRoot:
    def __init__(self, packages=()):
        """Installs Debian 12 with these packages besides the smallest set."""
        # In /var/tmp, since /tmp may be in memory.
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="lean-debian-", dir="/var/tmp"))
        self.path.chmod(0o755)
        try:
            include = [f"--include={','.join(packages)}"] if packages else []
            subprocess.run(["debootstrap", "--variant=minbase", "--components=main", *include, "bookworm", self.path, ARCHIVE],
                           check=True)
        except subprocess.CalledProcessError:
            self.remove()
            raise
        shutil.copy("/etc/resolv.conf", self.path / "etc/resolv.conf")

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)

    def run(self, *command, own_network=False):
        """Runs a command inside, with only a loopback if it has a network of its own. Returns its exit code and output."""
        network = ["--net"] if own_network else []
        done = subprocess.run(
            ["unshare", "--mount", "--pid", *network, "--fork", "--kill-child", "sh", "-ec", CHROOT, self.path, *command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            env={**os.environ, "LEAN_OWN_NETWORK": "yes" if own_network else "", "DEBIAN_FRONTEND": "noninteractive"})
        return done.returncode, done.stdout
