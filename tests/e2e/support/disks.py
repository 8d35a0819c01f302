"""Disks that belong to a test, and that can become full, read-only or broken.

They are mounted where only this process and its children see them. The kernel unmounts them when the last of these
ends.
"""

import contextlib
import ctypes
import os
import pathlib
import subprocess
import threading

import e2e

_CLONE_NEWNS = 0x20000  # linux/sched.h
_MS_REC_PRIVATE = 0x4000 | 0x40000  # sys/mount.h
_libc = ctypes.CDLL(None, use_errno=True)
_mounts_are_own = False


class Unavailable(Exception):
    """The reason why such disks cannot be created here."""


def _own_mounts():
    """Gives this thread, and the processes that it starts from now on, private mounts."""
    global _mounts_are_own  # pylint: disable=global-statement
    if _mounts_are_own:
        return
    if os.geteuid() != 0:
        raise Unavailable("a file system of its own needs root")
    if _libc.unshare(_CLONE_NEWNS) != 0 or _libc.mount(b"none", b"/", None, _MS_REC_PRIVATE, None) != 0:
        raise Unavailable(f"no mounts of its own here: {os.strerror(ctypes.get_errno())}")
    _mounts_are_own = True


def run(*command):
    """Runs a command. Raises OSError with its output if it fails."""
    done = subprocess.run(
        [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, check=False)
    if done.returncode != 0:
        raise OSError(f"{' '.join(map(str, command))}: {done.stdout.strip()}")
    return done.stdout


class Disk:
    """A file system on `folder`, which it creates. Use it from the main thread, from which processes are started."""

    def __init__(self, folder, mebibytes):
        """Mounts a tmpfs."""
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(mode=0o700)
        _own_mounts()
        self._mount(mebibytes)

    def _mount(self, mebibytes):
        _mount("-t", "tmpfs", "-o", f"size={mebibytes}m,mode=0700", "tmpfs", self.folder)

    def unmount(self):
        """Unmounts it. No file on it may be in use."""
        run("umount", self.folder)

    def fill(self):
        """Occupies all free room, now and later, until close() of the returned object."""
        return Filler(self.folder / "filler")

    @contextlib.contextmanager
    def full(self):
        """The disk is full until the end of a `with`."""
        with contextlib.closing(self.fill()):
            yield


class Ext4(Disk):
    """An ext4 in a file. The kernel makes it read-only after an error."""

    def _mount(self, mebibytes):
        self._image = self.folder.with_name(f"{self.folder.name}.ext4")
        with open(self._image, "wb") as image:
            image.truncate(mebibytes << 20)
        # No blocks are reserved for root, because the test runs as root.
        run("mkfs.ext4", "-q", "-F", "-m", "0", "-e", "remount-ro", self._image)
        self.mount()
        self.folder.chmod(0o700)

    def mount(self, *options):
        _mount("-o", ",".join(("loop", *options)), self._image, self.folder)

    def fail(self):
        """Reports an error of the file system to the kernel. It accepts no writes until it is repaired."""
        device = run("findmnt", "--noheadings", "--output", "SOURCE", self.folder).strip()
        trigger = pathlib.Path("/sys/fs/ext4") / pathlib.Path(device).name / "trigger_fs_error"
        try:
            trigger.write_text("1\n", encoding="ascii")
        except OSError as error:
            raise Unavailable(f"this kernel makes no errors in ext4 on request: {error}") from error

    def repair(self):
        """Repairs it. It must not be mounted."""
        done = subprocess.run(["e2fsck", "-f", "-y", self._image], capture_output=True, text=True, check=False)
        if done.returncode not in (0, 1):  # 1: something was corrected
            raise OSError(f"e2fsck: {done.stdout} {done.stderr}")

    def protect(self, protected):
        """Makes the data folder on it immutable, open files included, or mutable again."""
        # The folders first: after that no file is created or removed.
        sign = "+i" if protected else "-i"
        run("chattr", sign, self.folder, self.folder / "chain")
        for path in (self.folder / "chain").iterdir():
            run("chattr", sign, path)


def _mount(*arguments):
    try:
        run("mount", *arguments)
    except OSError as error:
        raise Unavailable(str(error)) from error


class Filler:
    """Occupies the free room of the disk, and room that becomes free meanwhile, until close()."""

    def __init__(self, path):
        self._path = path
        self._file = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
        self._stopping = threading.Event()
        self._fill()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _fill(self):
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    os.write(self._file, b"\0" * size)
            except OSError:
                pass

    def _run(self):
        while not self._stopping.wait(0.01):
            self._fill()

    def close(self):
        if not self._stopping.is_set():
            self._stopping.set()
            self._thread.join()
            os.close(self._file)
            self._path.unlink()


class DiskTest(e2e.NetworkTest):
    """A test whose first beacon stores its chain on a separate disk, `self.disk`."""

    def make_network_on(self, kind, mebibytes, **settings):
        """Creates a network, which is not started, and the disk, a Disk or an Ext4. Skips the test if that is
        impossible."""
        try:
            self.disk = kind(self.directory / "disk", mebibytes)
        except Unavailable as error:
            self.skipTest(str(error))
        self.addCleanup(self.disk.unmount)
        net = self.make_network(**settings)
        net.data_dir().symlink_to(self.disk.folder)
        return net

    def refused(self, *command):
        """Runs lean-beacon on the folder, which must fail in order. Returns its output."""
        done = self.run_beacon(*command, number=0)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        return done.stderr

    def start_refused(self):
        return self.refused("run", "--genesis", self.network.genesis_dir, "--rpc-address", "127.0.0.1:0")
