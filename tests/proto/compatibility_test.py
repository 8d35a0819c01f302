"""compatibility.py refuses what breaks a client of the released contract, and nothing else."""

import pathlib
import tempfile
import unittest

import compatibility

RELEASED = """
syntax = "proto3";
package lean.v1;
service Duties {
  rpc Ask(Question) returns (Answer);
  rpc Tell(Answer) returns (Question);
}
message Question {
  uint64 slot = 1;
  bytes root = 2;
  oneof id { string name = 3; uint64 number = 4; }
  Answer.Part part = 5;
}
message Answer {
  message Part { uint32 size = 1; }
  repeated uint64 indices = 1;
  optional uint64 latest = 2;
  Status status = 3;
}
enum Status { UNSPECIFIED = 0; ACCEPTED = 1; REFUSED = 2; }
"""


def compiled(text):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "lean/v1/duties.proto")
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
        return compatibility.compile_protos(pathlib.Path(folder))


class CompatibilityTest(unittest.TestCase):
    def breaks(self, *changes):
        text = RELEASED
        for old, new in changes:
            self.assertIn(old, text)
            text = text.replace(old, new, 1)
        return compatibility.breaks(compiled(RELEASED), compiled(text))

    def test_no_change(self):
        self.assertEqual(self.breaks(), [])

    def test_additions(self):
        self.assertEqual(self.breaks(
            ("  bytes root = 2;", "  bytes root = 2;\n  uint32 more = 9;"),
            ("REFUSED = 2;", "REFUSED = 2; QUEUED = 3;"),
            ("rpc Tell", "rpc More(Question) returns (stream Answer);\n  rpc Tell"),
            ("enum Status", "message New { string text = 1; }\nservice Other {}\nenum Status")), [])

    def test_a_field_that_is_reserved_may_go(self):
        self.assertEqual(self.breaks(("  bytes root = 2;", '  reserved 2; reserved "root";')), [])

    def test_breaks(self):
        for name, old, new, said in (
                ("removed field", "  bytes root = 2;", "", "Question.root = 2 is gone"),
                ("number reserved, name not", "  bytes root = 2;", "  reserved 2;", "Question.root = 2 is gone"),
                ("renumbered field", "bytes root = 2", "bytes root = 12", "Question.root = 2 has number 12 now"),
                ("renamed field", "bytes root = 2", "bytes hash = 2", "named hash"),
                ("retyped field", "bytes root = 2", "string root = 2", "type string now"),
                ("signedness", "uint64 slot = 1", "int64 slot = 1", "type int64 now"),
                ("repeated", "repeated uint64 indices", "uint64 indices", "is optional now, it was repeated"),
                ("presence", "optional uint64 latest", "uint64 latest", "Answer.latest"),
                ("another message", "Answer.Part part", "Answer part", "type lean.v1.Answer now"),
                ("out of a oneof", "oneof id { string name = 3; uint64 number = 4; }",
                 "oneof id { string name = 3; } uint64 number = 4;", "Question.number has moved"),
                ("nested field", "uint32 size = 1;", "", "Part.size = 1 is gone"),
                ("removed value", "REFUSED = 2;", "", "Status.REFUSED = 2 is gone"),
                ("renumbered value", "REFUSED = 2;", "REFUSED = 3;", "has number 3 now"),
                ("removed method", "rpc Tell(Answer) returns (Question);", "", "Duties.Tell is gone"),
                ("other request", "rpc Ask(Question)", "rpc Ask(Answer)", "input_type"),
                ("streaming request", "rpc Ask(Question)", "rpc Ask(stream Question)", "client_streaming"),
                ("streaming answer", "returns (Answer)", "returns (stream Answer)", "server_streaming"),
                ("removed service", "service Duties", "service Others", "lean.v1.Duties is gone"),
                ("package", "package lean.v1;", "package lean.v2;", "lean.v1.Question is gone")):
            with self.subTest(name):
                found = self.breaks((old, new))
                self.assertTrue(any(said in line for line in found), found)


if __name__ == "__main__":
    unittest.main()
