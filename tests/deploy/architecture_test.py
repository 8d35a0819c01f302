"""The picture and the table of docs/architecture.md: every folder that they name exists, and the table has every folder of
the three programs, by itself or by the one that it lies in."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def folders_of_the_picture():
    picture = (DOCS / "architecture.svg").read_text(encoding="utf-8")
    return re.findall(r'<text class="folder"[^>]*>([^<]+)</text>', picture)


def folders_of_the_table():
    """Of the first column of the table below the heading `Folders`."""
    section = (DOCS / "architecture.md").read_text(encoding="utf-8").partition("\n## Folders\n")[2]
    cells = re.findall(r"^\| (`[^|]*) \|", section.partition("\n## ")[0], re.MULTILINE)
    return [folder.rstrip("/") for cell in cells for folder in re.findall(r"`([^`]+)`", cell)]


class ArchitectureTest(unittest.TestCase):
    def expect_folders(self, names):
        self.assertEqual([name for name in names if not (ROOT / name).is_dir()], [], "no such folders")

    def test_the_picture_names_folders(self):
        names = folders_of_the_picture()
        self.assertGreater(len(names), 10)
        self.expect_folders(names)

    def test_the_picture_has_each_program_and_its_rooms(self):
        """The rooms of the programs, but for their command lines."""
        rooms = {
            str(folder.relative_to(ROOT))
            for program in ("beacon", "validator_client")
            for folder in (ROOT / program).iterdir() if folder.is_dir() and folder.name != "commands"
        }
        self.assertEqual(rooms - set(folders_of_the_picture()), set())

    def test_the_table_names_folders(self):
        names = folders_of_the_table()
        self.assertGreater(len(names), 15)
        self.expect_folders(names)

    def test_the_table_has_every_folder(self):
        rows = set(folders_of_the_table())
        folders = [
            folder.relative_to(ROOT)
            for top in ("beacon", "common", "validator_client")
            for folder in (ROOT / top).iterdir() if folder.is_dir()
        ]
        self.assertEqual([str(f) for f in folders if str(f) not in rows and str(f.parent) not in rows - {"common"}], [])


if __name__ == "__main__":
    unittest.main()
