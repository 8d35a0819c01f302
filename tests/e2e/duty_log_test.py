"""Counts of duties by the logs of validator clients."""

import contextlib
import io
import pathlib
import tempfile
import threading
import unittest

import duty_log


def block(slot, result="accepted"):
    return f"[info] block proposed slot={slot} validator=1 votes=3 result={result} build_ms=4 beacon=127.0.0.1:1"


def votes(slot, accepted, queued=0, refused=0):
    return (f"[info] votes submitted slot={slot} head=0x12ab…cd target=1 source=1 votes={accepted + queued + refused} "
            f"accepted={accepted} already_known=0 queued={queued} refused={refused} build_ms=1 beacon=127.0.0.1:1")


class MissedTest(unittest.TestCase):
    def missed(self, *lines, slots=range(4, 6)):
        return duty_log.missed(lines, slots, validators=4)

    def test_every_duty_is_done(self):
        first, second = (block(4), votes(4, 1), votes(4, 1, queued=1)), (block(5, "queued"), votes(5, 3))
        self.assertEqual(self.missed(*first, *second), (0, 0))

    def test_a_proposer_that_built_no_block_votes_with_the_others(self):
        self.assertEqual(self.missed(votes(4, 2), votes(4, 2), block(5), votes(5, 3)), (1, 0))

    def test_duties_that_are_not_done(self):
        self.assertEqual(self.missed(votes(4, 3), block(5), votes(5, 1, refused=2)), (1, 3))

    def test_other_slots_do_not_count(self):
        self.assertEqual(self.missed(block(3), votes(3, 3), block(6), votes(6, 3)), (2, 8))

    def test_the_line_of_the_last_slot_is_waited_for(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "client.log")
            lines = [block(4), votes(4, 3), block(5)]
            path.write_text("\n".join(lines), encoding="utf-8")
            log = duty_log.DutyLog(path, validators=4)
            whole = "\n".join((*lines, votes(5, 3)))
            later = threading.Timer(0.2, lambda: path.write_text(whole, encoding="utf-8"))
            later.start()
            self.assertEqual(log.missed(4, 5), [])
            later.join()
            # It is not waited for when the client has gone on.
            path.write_text("\n".join((*lines, block(7))), encoding="utf-8")
            self.assertEqual(log.missed(4, 5), ["votes 5"])


class AttemptsTest(unittest.TestCase):
    def attempt(self, *results):
        """Returns how many attempts there were."""
        left = list(results)
        with contextlib.redirect_stdout(io.StringIO()):
            duty_log.expect_none_missed(lambda: left.pop(0))
        return len(results) - len(left)

    def test_one_without_a_missed_duty_is_enough(self):
        self.assertEqual(self.attempt([], []), 1)
        self.assertEqual(self.attempt(["block 3"], ["votes 9"], [], []), 3)

    def test_duties_missed_in_each_fail(self):
        with self.assertRaisesRegex(AssertionError, "votes 15"):
            self.attempt(["block 3"], ["votes 9"], ["votes 15"], [])


if __name__ == "__main__":
    unittest.main()
