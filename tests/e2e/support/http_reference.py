"""The forms of answers and events in docs/reference/http.md, and whether an answer has one."""

import json
import pathlib
import re

PAGE = pathlib.Path(__file__).resolve().parents[3] / "docs" / "reference" / "http.md"
SECTION = re.compile(r"^### `([^`]+)`\n\n.*\n\n```json\n(.*)\n```$", re.MULTILINE)


def forms():
    """By path or topic: an example of its JSON."""
    return {name: json.loads(text) for name, text in SECTION.findall(PAGE.read_text(encoding="utf-8"))}


def differs(value, form, place=""):
    """Where a value has another type, or other fields in another order, than a form; empty: nowhere."""
    if type(value) is not type(form):
        return f"{place}: {value!r} is no {type(form).__name__}"
    if isinstance(form, dict):
        if list(value) != list(form):
            return f"{place}: has {list(value)}, not {list(form)}"
        return next(filter(None, (differs(value[name], form[name], f"{place}.{name}") for name in form)), "")
    if isinstance(form, list):
        return next(filter(None, (differs(item, form[0], f"{place}[]") for item in value)), "")
    return ""
