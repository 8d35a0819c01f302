"""Resources that processes use over time, and their growth."""

import dataclasses
import os
import pathlib


@dataclasses.dataclass
class Sample:
    """The resources of a process at one moment."""

    slot: int
    rss: int  # bytes of memory
    disk: int  # bytes that its folder takes
    files: int  # open ones, of that folder
    descriptors: int  # all others
    threads: int


def sample(pid, folder, slot):
    """A Sample of a running process, with the size of `folder` on disk."""
    status = _status(pid)
    files, others = _descriptors(pid, str(folder))
    return Sample(
        slot=slot,
        rss=int(status["VmRSS"].split()[0]) * 1024,
        disk=disk_usage(folder),
        files=files,
        descriptors=others,
        threads=int(status["Threads"]),
    )


def _status(pid):
    return dict(
        line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines())


def rss(pid):
    """Memory of a process, in bytes."""
    return int(_status(pid)["VmRSS"].split()[0]) * 1024


def most_rss(pid):
    """Peak memory of a process, in bytes, which the kernel records continuously."""
    return int(_status(pid)["VmHWM"].split()[0]) * 1024


def forget_most_rss(pid):
    """Resets the value of most_rss()."""
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")


def threads(pid):
    """Number of threads of a process."""
    return int(_status(pid)["Threads"])


def descriptors(pid):
    """Number of open descriptors of a process."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def _descriptors(pid, folder):
    """(open files below `folder`, other descriptors)."""
    files = others = 0
    for entry in os.scandir(f"/proc/{pid}/fd"):
        try:
            inside = os.readlink(entry.path).startswith(folder + "/")
        except FileNotFoundError:
            continue
        files += inside
        others += not inside
    return files, others


def disk_usage(folder):
    """Size of the files below `folder`, in bytes. Files that disappear meanwhile do not count."""
    total = 0
    for directory, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(directory, name)).st_blocks * 512
            except FileNotFoundError:
                pass
    return total


def slope(samples, field):
    """Growth of `field` in a slot: the slope of the least-squares line through the samples."""
    xs = [sample.slot for sample in samples]
    ys = [getattr(sample, field) for sample in samples]
    x_mean, y_mean = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - x_mean) ** 2 for x in xs)
    return sum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys)) / spread if spread else 0.0
