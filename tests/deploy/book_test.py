"""The book in docs/ against the sources: messages that it explains exist, all warnings and alerts are explained, all
pages are listed."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

# String literals that follow each other are one: "a "\n "b".
JOINT = re.compile(r'"\s*\n\s*(?:r?")')
COMMENT = re.compile(r"^\s*//.*$", re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")
# The beginning of a warning or error up to its first field.
LOGGED = re.compile(r'(?:->|\.)(?:warn|error|warn_limited)\(\s*(?:absl::StrCat\()?\s*"([^"{=]+)')


def sources():
    """The code of each source file of the three programs, with its string literals joined."""
    for folder, suffixes in (("common", (".cpp", ".h")), ("beacon", (".cpp", ".h")),
                             ("validator_client", (".cpp", ".h")), ("p2p/src", (".rs",))):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in suffixes:
                yield JOINT.sub("", COMMENT.sub("", path.read_text(encoding="utf-8"))).replace('\\"', '"')


def rows(page):
    """The cells of each row whose first cell is a name in code."""
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("| `"):
            yield [cell.strip() for cell in line.strip("| ").split(" | ")]


def messages(page):
    """What the first column of each table quotes."""
    for row in rows(page):
        yield from CODE.findall(row[0])


def occurs(message, texts):
    """Whether a source has the parts of a message in their order."""
    parts = [part.strip() for part in message.split("…")]
    parts = [part for part in parts if len(part) > 2]
    pattern = re.compile(".{0,400}?".join(map(re.escape, parts)), re.DOTALL)
    return bool(parts) and any(pattern.search(text) for text in texts)


def logged(text):
    """The names of the warnings and errors that a source writes to the log."""
    for line in LOGGED.finditer(text.split("#[cfg(test)]")[0]):
        # The word before "=" is the name of a field.
        name = line[1].rpartition(" ")[0] if text[line.end()] == "=" else line[1]
        yield name.strip()


class BookTest(unittest.TestCase):
    def test_every_message_exists(self):
        texts = list(sources())
        quoted = list(messages(DOCS / "troubleshooting.md"))
        self.assertGreater(len(quoted), 80)
        self.assertEqual([message for message in quoted if not occurs(message, texts)], [])
        self.assertFalse(occurs("the key is not listed anywhere", texts))

    def test_every_warning_and_error_is_explained(self):
        quoted = list(messages(DOCS / "troubleshooting.md"))
        names = {name for text in sources() for name in logged(text)}
        self.assertGreater(len(names), 70)
        missing = [name for name in sorted(names) if not any(message.startswith(name) for message in quoted)]
        self.assertEqual(missing, [])
        two = 'log->warn(\n "key ends soon validator={}", x); log.warn_limited("peer_slow", &[])'
        self.assertEqual(list(logged(two)), ["key ends soon", "peer_slow"])

    def test_every_alert_is_explained(self):
        text = (ROOT / "deploy/observe/alerts.yml").read_text(encoding="utf-8")
        alerts = dict(re.findall(r"- alert: (\w+)\n(?:.*\n)*?.*severity: (\w+)", text))
        explained = {CODE.match(row[0])[1]: row[1] for row in rows(DOCS / "monitoring.md") if len(row) == 3}
        self.assertGreater(len(alerts), 20)
        self.assertEqual(explained, alerts)

    def test_metrics_have_the_same_ports_everywhere(self):
        """What Prometheus scrapes is what the settings of the packages and the pages name."""
        scraped = (ROOT / "deploy/observe/prometheus.yml").read_text(encoding="utf-8")
        pages = "".join(
            (DOCS / f"{page}.md").read_text(encoding="utf-8") for page in ("monitoring", "metrics", "configuration"))
        ports = dict(re.findall(r"job_name: ([\w-]+)\n.*\n +- targets: \[127\.0\.0\.1:(\d+)\]", scraped))
        self.assertEqual(list(ports), ["lean-beacon", "lean-validator", "lean-p2p"])
        for program, port in ports.items():
            settings = ROOT / "deploy/package/etc" / f"{program.removeprefix('lean-')}.yaml"
            self.assertIn(f"\n# metrics-address: 127.0.0.1:{port}\n", settings.read_text(encoding="utf-8"))
            self.assertRegex(scraped, rf"#   {program} .*--metrics-address {port} ")
        named = re.findall(r"metrics-address:? (?:127\.0\.0\.1:)?(\d+)|127\.0\.0\.1:(\d+)/metrics", pages)
        self.assertEqual({port for pair in named for port in pair if port}, set(ports.values()))

    def test_every_reason_of_an_error_is_explained(self):
        contract = "".join(
            (ROOT / f"proto/lean/v1/{name}.proto").read_text(encoding="utf-8") for name in ("beacon", "validator"))
        code = "(?:INVALID_ARGUMENT|NOT_FOUND|FAILED_PRECONDITION|PERMISSION_DENIED|RESOURCE_EXHAUSTED|UNAVAILABLE" \
               "|DEADLINE_EXCEEDED|INTERNAL)"
        reasons = set(re.findall(rf"^//   {code} +([A-Z_]+) ", contract, re.MULTILINE))
        reasons |= set(re.findall(rf"{code}/([A-Z_]+)", contract))
        self.assertGreater(len(reasons), 15)
        explained = {reason for row in rows(DOCS / "rpc.md") if len(row) == 3 for reason in CODE.findall(row[1])}
        self.assertEqual(reasons - explained, set())

    def test_every_page_is_listed(self):
        contents = (DOCS / "README.md").read_text(encoding="utf-8")
        pages = [page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md") if page.name != "README.md"]
        self.assertEqual([page for page in pages if f"({page})" not in contents], [])


if __name__ == "__main__":
    unittest.main()
