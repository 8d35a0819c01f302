"""Holds the C++ sources to the idioms that no compiler or linter checks: locks, clocks, and how errors are passed on."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("common", "beacon", "validator_client")

CLOCK = re.compile(r"\b(steady|system|high_resolution)_clock::now\b|\bsleep_(for|until)\b|\babsl::(Now|SleepFor)\b")
LOCK = re.compile(r"\bstd::(recursive_|timed_|shared_)?mutex\b|\bstd::condition_variable|\babsl::(Mutex|CondVar)\b"
                  r"|\bstd::(lock_guard|unique_lock|shared_lock|scoped_lock)\b")
# if (!x.ok()) return x.status();   if (absl::Status s = F(); !s.ok()) return InFile(path, s);
# The macros take no status of gRPC or RocksDB, which a function of that name translates.
ERROR = re.compile(r"!(\w+)\.ok\(\)\) (?:\{\s*)?return (?!(?:rpc::)?FromGrpcStatus|ToStatus)[^;{}]*\b\1\b[^;{}]*;")


def code_of(text):
    """The text without what its comments and strings say."""
    return re.sub(r"//[^\n]*", "", re.sub(r'"(?:\\.|[^"\\\n])*"', '""', text))


def found(pattern, text):
    return [match.group(0) for match in pattern.finditer(code_of(text))]


class SourceRulesTest(unittest.TestCase):
    def check(self, pattern, allowed, advice, folders=FOLDERS):
        for folder in folders:
            for path in sorted(pathlib.Path(ROOT, folder).rglob("*")):
                name = path.relative_to(ROOT).as_posix()
                if path.suffix in (".h", ".cpp") and not name.startswith(allowed):
                    with self.subTest(name):
                        self.assertEqual(found(pattern, path.read_text(encoding="utf-8")), [], advice)

    def test_time_comes_from_an_injected_clock(self):
        self.check(CLOCK, ("common/clock/",), "read a lean::Clock that is passed in (common/clock/clock.h)")

    def test_locks_are_annotated_ones(self):
        # spdlog's sinks are templates over a lock of their own.
        self.check(LOCK, ("common/concurrency/mutex.h", "common/process/log.cpp"),
                   "use the locks of common/concurrency/mutex.h")

    def test_errors_are_passed_on_by_macros(self):
        self.check(ERROR, ("common/status/status_macros.h", "tests/beacon/storage/faults/fault_env.cpp"),
                   "use RETURN_IF_ERROR or ASSIGN_OR_RETURN (common/status/status_macros.h)", (*FOLDERS, "tests"))

    def test_the_rules_find_what_they_are_for(self):
        self.assertEqual(len(found(CLOCK, "auto now = std::chrono::steady_clock::now();  // steady_clock::now")), 1)
        self.assertEqual(len(found(LOCK, "std::mutex mutex_;")), 1)
        for text in ("if (!x.ok()) return x.status();", "if (A s = F(); !s.ok()) {\n  return s;\n}",
                     "if (!x.ok()) return Damaged(x.status());", "if (!x.ok()) return done(x.status());"):
            self.assertEqual(len(found(ERROR, text)), 1, text)
        for text in ("if (!x.ok()) return false;", "if (!status.ok()) return rpc::FromGrpcStatus(status);"):
            self.assertEqual(found(ERROR, text), [], text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
