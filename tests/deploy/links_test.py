"""Links between the pages of the documentation: every file and every heading that is linked to exists."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
CODE_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def pages():
    skipped = {"build", "target", ".git"}
    return [page for page in ROOT.rglob("*.md") if not skipped.intersection(page.relative_to(ROOT).parts)]


def text_of(page):
    return CODE_BLOCK.sub("", page.read_text(encoding="utf-8"))


def anchor_of(heading):
    """As Git hosts make it: the words in lower case, without punctuation, joined by hyphens."""
    text = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-")


def broken_links(page):
    for link in LINK.findall(text_of(page)):
        if re.match(r"\w+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists():
            yield f"{page.relative_to(ROOT)}: {link}: no such file"
        elif anchor and anchor not in map(anchor_of, HEADING.findall(text_of(target))):
            yield f"{page.relative_to(ROOT)}: {link}: no such heading"


class LinksTest(unittest.TestCase):
    def test_every_link_leads_somewhere(self):
        self.assertGreater(len(pages()), 20)
        self.assertEqual([link for page in pages() for link in broken_links(page)], [])

    def test_anchors(self):
        self.assertEqual(anchor_of("How a *change* is `judged`, by [CI](x.md)"), "how-a-change-is-judged-by-ci")


if __name__ == "__main__":
    unittest.main()
