"""Adds up the results of test runs and prints `N passed, N failed, N skipped` as its last line.

Usage: test_report.py [--check NAME=ok|failed|skipped]... [FILE.xml]...

Reads the JUnit files of ctest and the XML files of GoogleTest. A check is a step without a file, such as the formatter.
A missing or truncated file counts as one failure, because its run did not end. The end of a failed test's output follows
its name, because the whole output is far above. The exit code is 0 if something was run and nothing failed.
"""

import pathlib
import sys
import xml.etree.ElementTree

SHOWN_LINES = 40  # of the output of a failed test


def outcome(case):
    """passed, failed or skipped, of a <testcase> of ctest or GoogleTest."""
    status = case.get("status")
    if case.find("failure") is not None or status == "fail":
        return "failed"
    if case.find("skipped") is not None or case.get("result") in ("skipped", "suppressed") or status == "disabled":
        return "skipped"
    return "passed" if status == "run" else "failed"  # notrun without a reason: the program could not be started


def reason(case):
    """The line that says why a test was skipped."""
    skipped = case.find("skipped")
    texts = [] if skipped is None else [skipped.get("message", ""), skipped.text or ""]
    lines = [line.strip() for line in (case.findtext("system-out") or "").splitlines()]
    # GoogleTest prints the place, then the words given to GTEST_SKIP(); the end-to-end tests print `skipped: WHY`.
    for number, line in enumerate(lines):
        if line.startswith("skipped: "):
            return line[len("skipped: "):]
        if line.endswith(": Skipped") and number + 1 < len(lines) and not lines[number + 1].startswith("["):
            return lines[number + 1]
    return next((text.strip().splitlines()[0] for text in texts if text.strip()), status_word(case))


def end_of_output(case):
    """The last lines that a failed test printed."""
    failure = case.find("failure")
    texts = [case.findtext("system-out") or "", "" if failure is None else failure.text or failure.get("message") or ""]
    lines = next((text for text in texts if text.strip()), "").rstrip().splitlines()
    return "\n".join(f"    {line}" for line in lines[-SHOWN_LINES:])


def status_word(case):
    return case.get("status") or "skipped"


def cases_of(path):
    """(name, outcome, detail) of every test in the file. The detail of a skipped test is its reason, that of a failed one
    the end of its output."""
    try:
        root = xml.etree.ElementTree.parse(path).getroot()
    except (OSError, xml.etree.ElementTree.ParseError):
        return [(f"{pathlib.Path(path).name}: the run ended without its report", "failed", "")]
    result = []
    for case in root.iter("testcase"):
        name, group = case.get("name"), case.get("classname")
        what = outcome(case)
        full_name = name if group in (None, name) else f"{group}.{name}"
        detail = {"skipped": reason, "failed": end_of_output}.get(what, lambda _: "")(case)
        result.append((full_name, what, detail))
    return result


def main(arguments):
    cases = []
    position = 0
    while position < len(arguments):
        argument = arguments[position]
        if argument == "--check":
            position += 1
            name, _, word = arguments[position].partition("=")
            what = {"ok": "passed", "skipped": "skipped"}.get(word, "failed")
            cases.append((name, what, "its output says why" if what == "skipped" else ""))
        else:
            cases += cases_of(argument)
        position += 1

    print()
    for name, what, why in cases:
        if what == "skipped":
            print(f"skipped: {name} ({why})")
    for name, what, output in cases:
        if what == "failed":
            print(f"FAILED:  {name}")
            if output:
                print(output)
    count = {word: sum(1 for _, what, _ in cases if what == word) for word in ("passed", "failed", "skipped")}
    if not cases:
        print("no test was found")
    print(f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")
    return 0 if cases and not count["failed"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
