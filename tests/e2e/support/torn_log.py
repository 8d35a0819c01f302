"""Spoils what a killed beacon wrote last, as a crash of its machine may."""

import math


def newest_log(data_dir):
    """The write-ahead log that RocksDB wrote last, or None."""
    logs = [path for path in (data_dir / "chain").glob("[0-9]*.log") if path.stat().st_size > 0]
    return max(logs, key=lambda path: int(path.stem), default=None)


def tear(data_dir, choose):
    """Cuts off, empties or changes the end of the log, by `choose`, a random.Random. Returns how, as a text; None when
    there is no log."""
    path = newest_log(data_dir)
    if path is None:
        return None
    size = path.stat().st_size
    # From a few bytes to all of it, each order of magnitude as likely as the others.
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
