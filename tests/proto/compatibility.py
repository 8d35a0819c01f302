#!/usr/bin/python3
"""Holds proto/lean/v1 to what was released: `proto/lean_v1.released.binpb`, a descriptor set of the last tagged version.

    tests/proto/compatibility.py check [--released FILE] [--proto DIR]   exit code 1 and a line for each break
    tests/proto/compatibility.py release                                 writes that file, when a version is tagged

Refused: a message, field, enum, enum value, service or method that is gone, unless its number and name are reserved; a
field with another number, type, message, label or oneof, or another name; a method with other messages or streaming.
Additions are welcome.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

from google.protobuf import descriptor_pb2

PROTO = pathlib.Path(__file__).resolve().parents[2] / "proto"
RELEASED = PROTO / "lean_v1.released.binpb"
FIELD = descriptor_pb2.FieldDescriptorProto


def compile_protos(proto_dir):
    """The descriptor set of lean/v1 below `proto_dir`, without comments and imports."""
    files = sorted(path.relative_to(proto_dir).as_posix() for path in proto_dir.glob("lean/v1/*.proto"))
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run(["protoc", f"-I{proto_dir}", f"--descriptor_set_out={out.name}", *files], check=True)
        return descriptor_pb2.FileDescriptorSet.FromString(out.read())


def by_name(items):
    return {item.name: item for item in items}


def is_reserved(holder, name, number, end_exclusive=True):
    """Whether both stay unused for good: `reserved 4; reserved "name";`."""
    ends = [(r.start, r.end - 1 if end_exclusive else r.end) for r in holder.reserved_range]
    return name in holder.reserved_name and any(start <= number <= end for start, end in ends)


class Comparison:
    """Collects what a client or server of the released version would trip over."""

    def __init__(self):
        self.breaks = []

    def files(self, old, new):
        """Two descriptor sets. Messages may move between files of a package."""
        for kind, compare in (("message_type", self.message), ("enum_type", self.enum), ("service", self.service)):
            now = {f"{file.package}.{item.name}": item for file in new.file for item in getattr(file, kind)}
            for file in old.file:
                for item in getattr(file, kind):
                    self._compare_one(f"{file.package}.{item.name}", item, now, compare)

    def message(self, name, old, new):
        fields = {field.number: field for field in new.field}
        for field in old.field:
            self.field(f"{name}.{field.name}", field, fields.get(field.number), old, new)
        for inner, compare in (("nested_type", self.message), ("enum_type", self.enum)):
            now = {f"{name}.{key}": value for key, value in by_name(getattr(new, inner)).items()}
            for item in getattr(old, inner):
                self._compare_one(f"{name}.{item.name}", item, now, compare)

    def field(self, name, old, new, old_message, new_message):
        if new is None:
            if not is_reserved(new_message, old.name, old.number):
                moved = by_name(new_message.field).get(old.name)
                now = f"has number {moved.number} now" if moved else "is gone; reserve its number and its name"
                self.breaks.append(f"{name} = {old.number} {now}")
            return
        if new.name != old.name:
            self.breaks.append(f"{name} = {old.number} is named {new.name} now")
        if (new.type, new.type_name) != (old.type, old.type_name):
            self.breaks.append(f"{name} has type {self._type(new)} now, it had {self._type(old)}")
        if new.label != old.label:
            self.breaks.append(f"{name} is {self._label(new)} now, it was {self._label(old)}")
        if new.proto3_optional != old.proto3_optional:
            self.breaks.append(f"{name} tells no longer, or tells now, whether it is set (optional)")
        if self._oneof(new, new_message) != self._oneof(old, old_message):
            self.breaks.append(f"{name} has moved into, out of or between oneofs")

    def enum(self, name, old, new):
        values = {value.name: value.number for value in new.value}
        for value in old.value:
            now = values.get(value.name)
            if now is None and is_reserved(new, value.name, value.number, end_exclusive=False):
                continue
            if now != value.number:
                is_now = "is gone; reserve its number and its name" if now is None else f"has number {now} now"
                self.breaks.append(f"{name}.{value.name} = {value.number} {is_now}")

    def service(self, name, old, new):
        methods = {f"{name}.{key}": value for key, value in by_name(new.method).items()}
        for method in old.method:
            self._compare_one(f"{name}.{method.name}", method, methods, self.method)

    def method(self, name, old, new):
        for what in ("input_type", "output_type", "client_streaming", "server_streaming"):
            if getattr(new, what) != getattr(old, what):
                self.breaks.append(f"{name}: {what} is {getattr(new, what)} now, it was {getattr(old, what)}")

    def _compare_one(self, name, old, now, compare):
        if name in now:
            compare(name, old, now[name])
        else:
            self.breaks.append(f"{name} is gone")

    @staticmethod
    def _type(field):
        return field.type_name.lstrip(".") or FIELD.Type.Name(field.type).removeprefix("TYPE_").lower()

    @staticmethod
    def _label(field):
        return FIELD.Label.Name(field.label).removeprefix("LABEL_").lower()

    @staticmethod
    def _oneof(field, message):
        if not field.HasField("oneof_index") or field.proto3_optional:
            return None
        return message.oneof_decl[field.oneof_index].name


def breaks(old, new):
    """Lines that say what of `old` the set `new` breaks."""
    comparison = Comparison()
    comparison.files(old, new)
    return comparison.breaks


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("check", "release"))
    parser.add_argument("--released", type=pathlib.Path, default=RELEASED)
    parser.add_argument("--proto", type=pathlib.Path, default=PROTO)
    options = parser.parse_args()
    new = compile_protos(options.proto)
    if options.action == "release":
        options.released.write_bytes(new.SerializeToString(deterministic=True))
        print(f"wrote {options.released}")
        return 0
    found = breaks(descriptor_pb2.FileDescriptorSet.FromString(options.released.read_bytes()), new)
    for line in found:
        print(line)
    print(f"{len(found)} incompatible changes since {options.released.name}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
