#!/usr/bin/python3
"""A page of the documentation that a command prints.

    generated_page.py PAGE COMMAND...           writes the page
    generated_page.py --check PAGE COMMAND...   fails if that would change the page
"""

import pathlib
import subprocess
import sys


def main(arguments):
    check = arguments[:1] == ["--check"]
    page, *command = arguments[1:] if check else arguments
    page = pathlib.Path(page)
    text = subprocess.run(command, stdout=subprocess.PIPE, encoding="utf-8", check=True).stdout
    if check:
        if page.read_text(encoding="utf-8") == text:
            return 0
        print(f"{page} is not what its generator prints. Run: tests/deploy/generated_page.py {page} {' '.join(command)}")
        return 1
    page.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
