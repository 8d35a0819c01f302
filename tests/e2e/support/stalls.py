"""Moments in which a busy machine did not run this process, which a test leaves out of the times that it measures."""

import threading
import time

PERIOD_S = 0.01
# A later end of a sleep is a stall.
TOLERANCE_S = 0.01


class Stalls:
    """Sleeps again and again in a thread, until stop(), and records when it woke up late."""

    def __init__(self):
        self._found = []  # (begin, end)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self):
        self._ended.set()
        self._thread.join()

    def between(self, begin, end):
        """Seconds of stalls between two times of time.monotonic()."""
        return sum(max(0, min(end, until) - max(begin, since)) for since, until in list(self._found))

    def _run(self):
        due = time.monotonic()
        while not self._ended.is_set():
            due += PERIOD_S
            time.sleep(PERIOD_S)
            now = time.monotonic()
            if now > due + TOLERANCE_S:
                self._found.append((due, now))
            due = now
