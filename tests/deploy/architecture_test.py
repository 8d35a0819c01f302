"""The picture and the tables of docs/architecture.md: every folder that they name exists, they have every folder of the C++
programs, and the files include only what the table of dependencies allows."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PROGRAMS = ("common", "beacon", "validator_client")
MOST_MODULES = 12  # of one folder; a header and its source are one


def folders_of_the_picture():
    picture = (DOCS / "architecture.svg").read_text(encoding="utf-8")
    return re.findall(r'<text class="folder"[^>]*>([^<]+)</text>', picture)


def rows_of_the_table(heading):
    """The names in code type of each cell, row by row, in the table below the heading."""
    section = (DOCS / "architecture.md").read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2]
    for line in re.findall(r"^\| `.*$", section.partition("\n## ")[0], re.MULTILINE):
        yield [[name.rstrip("/") for name in re.findall(r"`([^`]+)`", cell)] for cell in line.strip("|").split("|")]


def folders_of_the_table():
    return [folder for row in rows_of_the_table("Folders") for folder in row[0]]


def sources(program):
    return [path for path in (ROOT / program).rglob("*") if path.suffix in (".h", ".cpp")]


def is_in(folder, parent):
    return folder == parent or folder.startswith(parent + "/")


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

    def test_the_table_has_every_folder_inside_a_room(self):
        rows = list(rows_of_the_table("Folders"))
        named = {f"{folder}/{name}" for row in rows for folder in row[0] for name in row[1]} | set(folders_of_the_table())
        folders = {
            path.parent.relative_to(ROOT).as_posix()
            for program in PROGRAMS for path in sources(program)
        }
        self.assertEqual({folder for folder in folders if folder.count("/") > 1} - named, set())

    def test_no_folder_has_too_many_modules(self):
        modules = {}
        for program in (*PROGRAMS, "tests"):
            for path in sources(program):
                modules.setdefault(path.parent.relative_to(ROOT).as_posix(), set()).add(path.stem)
        self.assertEqual({folder: len(stems) for folder, stems in modules.items() if len(stems) > MOST_MODULES}, {})

    def test_files_include_what_the_table_of_dependencies_allows(self):
        allowed = {folder: uses for folders, uses in rows_of_the_table("Dependencies") for folder in folders}
        wrong = []
        for program in PROGRAMS:
            for path in sources(program):
                own = path.parent.relative_to(ROOT).as_posix()
                room = "/".join(own.split("/")[:2])
                uses = ["common"] if program == "common" else [room, "common", *allowed.get(room, [program])]
                for included in re.findall(r'^#include "([^"]+)/[^"/]+"', path.read_text(encoding="utf-8"), re.MULTILINE):
                    if included.split("/")[0] in PROGRAMS and not any(is_in(included, folder) for folder in uses):
                        wrong.append(f"{path.relative_to(ROOT)} includes {included}")
        self.assertEqual(wrong, [])

    def test_the_table_of_dependencies_has_each_room(self):
        rooms = {
            str(folder.relative_to(ROOT))
            for program in ("beacon", "validator_client")
            for folder in (ROOT / program).iterdir() if folder.is_dir()
        }
        self.assertEqual({folder for row in rows_of_the_table("Dependencies") for folder in row[0]}, rooms)


if __name__ == "__main__":
    unittest.main()
