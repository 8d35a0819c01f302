"""Damages the last writes of a killed beacon, as a crash of its machine may."""

import math


def newest_log(data_dir):
    """The write-ahead log that RocksDB wrote last, or None."""
    logs = [path for path in (data_dir / "chain").glob("[0-9]*.log") if path.stat().st_size > 0]
    return max(logs, key=lambda path: int(path.stem), default=None)


def tear_log(data_dir, choose):
    """Cuts off, empties or changes the end of the log, by `choose`, a random.Random. Returns how, as a text; None when
    there is no log."""
    path = newest_log(data_dir)
    if path is None:
        return None
    size = path.stat().st_size
    # From a few bytes to the whole log; all orders of magnitude are equally likely.
    reach = min(size, math.ceil(math.exp(choose.uniform(0, math.log(size)))))
    how = choose.choice(("cut", "zeroed", "flipped", "garbage added"))
    with open(path, "r+b") as log:
        if how == "cut":
            log.truncate(size - reach)
        elif how == "zeroed":
            log.seek(size - reach)
            log.write(bytes(reach))
        elif how == "flipped":
            log.seek(size - reach)
            byte = log.read(1)[0]
            log.seek(size - reach)
            log.write(bytes([byte ^ 1 << choose.randrange(8)]))
        else:
            log.seek(size)
            log.write(choose.randbytes(reach))
    return f"{how} {reach} of {size}"


def leave_unfinished(data_dir, choose):
    """Adds a part of a table or of a file of blobs, such as is left when the machine ends while RocksDB writes one that
    the database does not name yet. Returns its name, or None when there is none to take it from."""
    folder = data_dir / "chain"
    written = sorted(path for kind in ("sst", "blob") for path in folder.glob(f"[0-9]*.{kind}"))
    if not written:
        return None
    source = choose.choice(written)
    last = max(int(path.stem) for path in folder.glob("[0-9]*.*"))
    unfinished = folder / f"{last + choose.randint(1, 3):06}{source.suffix}"
    content = source.read_bytes()
    unfinished.write_bytes(content[:choose.randrange(len(content) + 1)])
    return unfinished.name
