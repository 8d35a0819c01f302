"""Prints docs/reference/rpc.md from the comments of proto/lean/v1. Fails where something has no comment."""

import pathlib
import re
import subprocess
import sys
import tempfile
import textwrap

from google.protobuf import descriptor_pb2

PROTO = pathlib.Path(__file__).resolve().parents[2] / "proto"
# In the order of the page.
FILES = tuple(f"lean/v1/{name}.proto" for name in (
    "beacon", "events", "views", "validator", "keymanager", "signer", "network_engine", "types"))
# The headings of those that have no service.
TITLES = {"events": "Events", "views": "Views", "types": "Containers"}
PACKAGE = ".lean.v1."
FIELD = descriptor_pb2.FieldDescriptorProto

INTRODUCTION = """\
<!-- Generated from the comments of proto/lean/v1. CONTRIBUTING.md has the command. -->

# RPC reference

All calls and messages of `lean.v1`. [The RPC interface](../rpc.md) shows calls by hand, roles, errors and limits;
[the contract](../../proto/README.md) has the rules for other implementations.

| service | calls |
| --- | --- |"""


def compiled():
    """The descriptors of FILES, with comments."""
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run(["protoc", f"-I{PROTO}", "--include_source_info", f"--descriptor_set_out={out.name}", *FILES],
                       check=True)
        files = descriptor_pb2.FileDescriptorSet.FromString(out.read()).file
    by_name = {file.name: file for file in files}
    return [by_name[name] for name in FILES]


def joined(lines):
    return re.sub(r"\s+", " ", " ".join(lines)).strip()


def paragraphs(comment):
    """A comment as Markdown. What it has in columns stays as it is."""
    blocks = []
    for line in textwrap.dedent(comment).splitlines():
        kind = "list" if re.match(r" *- ", line) else "columns" if line.startswith("  ") else "text"
        if kind == "columns" and blocks and blocks[-1][0] == "list":
            kind = "list"
        if not line.strip():
            blocks.append(("text", []))
        elif blocks and blocks[-1][0] == kind:
            blocks[-1][1].append(line)
        else:
            blocks.append((kind, [line]))
    return "\n\n".join(render(kind, lines) for kind, lines in blocks if lines)


def render(kind, lines):
    if kind == "text":
        return joined(lines)
    body = textwrap.dedent("\n".join(lines))
    return f"```text\n{body}\n```" if kind == "columns" else body


def cell(comment):
    """A comment as a cell of a table: indented lines, and what continues them, on lines of their own."""
    items = [[]]
    for line in textwrap.dedent(comment).splitlines():
        named = re.match(r" {1,3}([A-Z_]+) {2,}(.*)", line)
        if named:
            items.append([f"`{named[1]}`: {named[2]}"])
        else:
            items[-1].append(line)
    return "<br>".join(joined(item) for item in items).replace("|", "\\|")


class Page:
    """The text of one .proto file."""

    def __init__(self, file, pages, out):
        self.file = file
        self.pages = pages  # of all files
        self.out = out
        self.places = {tuple(place.path): place for place in file.source_code_info.location}
        self.messages = {f"{PACKAGE}{message.name}": (number, message) for number, message in enumerate(file.message_type)}
        self.calls = {kind for service in file.service for method in service.method
                      for kind in (method.input_type, method.output_type)}

    def comment(self, path, name, needed=True):
        place = self.places.get(tuple(path))
        text = "" if place is None else "\n".join(
            part for part in (place.leading_comments, place.trailing_comments) if part)
        if needed and not text.strip():
            sys.exit(f"{self.file.name}: {name} has no comment")
        return text

    def write(self):
        for number, service in enumerate(self.file.service):
            self.out.append(f"\n## {service.name}\n")
            said = joined([self.comment([6, number], service.name, needed=False)])
            self.out.append(f"[{self.file.name}](../../proto/{self.file.name}). {said}".rstrip() + "\n")
        if not self.file.service:
            title = TITLES[pathlib.PurePath(self.file.name).stem]
            self.out.append(f"\n## {title}\n\n[{self.file.name}](../../proto/{self.file.name}).\n")
        self.out.append(paragraphs(self.comment([12], self.file.name)))
        for number, service in enumerate(self.file.service):
            for call, method in enumerate(service.method):
                self.method(method, [6, number, 2, call])
        # Messages of calls are shown with these, wherever they are defined.
        of_calls = set().union(*(page.calls for page in self.pages))
        for name, (number, message) in self.messages.items():
            if name not in of_calls:
                self.message(message, [4, number], message.name)
        for number, enum in enumerate(self.file.enum_type):
            self.enum(enum, [5, number], enum.name)

    def method(self, method, path):
        self.out.append(f"\n### {method.name}\n")
        self.out.append(paragraphs(self.comment(path, method.name)))
        for title, kind, streams in (("Request", method.input_type, method.client_streaming),
                                     ("Answer", method.output_type, method.server_streaming)):
            name = kind.removeprefix(PACKAGE)
            title = f"{title}: {'stream of ' if streams else ''}`{name}`"
            page = next(page for page in self.pages if kind in page.messages)
            number, message = page.messages[kind]
            if message.field:
                page.message(message, [4, number], name, title)
            else:
                self.out.append(f"\n{title}, which is empty.")

    def message(self, message, path, name, title=None):
        text = self.comment(path, name, needed=title is None)
        self.out.append(f"\n#### {name}\n" if title is None else f"\n{title}\n")
        if text.strip():
            self.out.append(paragraphs(text) + "\n")
        self.out.append("| field | number | type | meaning |\n| --- | --- | --- | --- |")
        for number, field in enumerate(message.field):
            meaning = cell(self.comment([*path, 2, number], f"{name}.{field.name}"))
            oneof = ""
            if field.HasField("oneof_index") and not field.proto3_optional:
                oneof = f" (one of `{message.oneof_decl[field.oneof_index].name}`)"
            self.out.append(f"| `{field.name}` | {field.number} | {type_of(field)}{oneof} | {meaning} |")
        for number, enum in enumerate(message.enum_type):
            self.enum(enum, [*path, 4, number], f"{name}.{enum.name}")

    def enum(self, enum, path, name):
        self.out.append(f"\n#### {name}\n\n{paragraphs(self.comment(path, name))}\n")
        self.out.append("| value | number | meaning |\n| --- | --- | --- |")
        for number, value in enumerate(enum.value):
            meaning = cell(self.comment([*path, 2, number], f"{name}.{value.name}"))
            self.out.append(f"| `{value.name}` | {value.number} | {meaning} |")


def type_of(field):
    label = "repeated " if field.label == FIELD.LABEL_REPEATED else "optional " if field.proto3_optional else ""
    if field.type_name:
        name = field.type_name.removeprefix(PACKAGE)
        return f"{label}[{name}](#{name.replace('.', '').lower()})"
    return f"{label}{FIELD.Type.Name(field.type).removeprefix('TYPE_').lower()}"


def main():
    files = compiled()
    out = [INTRODUCTION]
    for file in files:
        for service in file.service:
            calls = ", ".join(f"[{method.name}](#{method.name.lower()})" for method in service.method)
            out.append(f"| [{service.name}](#{service.name.lower()}) | {calls} |")
    pages = []
    pages += (Page(file, pages, out) for file in files)
    for page in pages:
        page.write()
    print("\n".join(out))


if __name__ == "__main__":
    main()
