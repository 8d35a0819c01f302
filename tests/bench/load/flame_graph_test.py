"""The flame graph of a few samples as `perf script` prints them."""

import pathlib
import sys
import unittest
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

# pylint: disable=wrong-import-position
import flame_graph  # noqa: E402

# pylint: enable=wrong-import-position

SAMPLES = """\
lean-beacon 4711 63613.255627:     500000 cpu-clock:
\t    7f0001 lean::xmss::Walk<lean::Lane, 8ul>(int)+0x12 (/usr/bin/lean-beacon)
\t    7f0002 lean::beacon::SignatureVerifier::Verify(std::vector<int> const&)+0x5 (/usr/bin/lean-beacon)

lean-beacon 4711 63613.256127:     500000 cpu-clock:
\t    7f0003 lean::beacon::SignatureVerifier::Verify(std::vector<int> const&)+0x9 (/usr/bin/lean-beacon)

rocksdb:high 4712/4713 63613.256627:     500000 cpu-clock:
\t    7f0004 [unknown] (/usr/lib/librocksdb.so.7.8)
\t    7f0005 [unknown] (/usr/lib/librocksdb.so.7.8)

rocksdb:high 4712/4713 63613.257127:     500000 cpu-clock:
\tffffffff81e7ce5a do_syscall_64+0xea ([kernel.kallsyms])
\t    7f0005 [unknown] (/usr/lib/librocksdb.so.7.8)
"""


class FlameGraphTest(unittest.TestCase):
    def test_samples_become_a_tree(self):
        root = flame_graph.read_samples(SAMPLES.splitlines())
        self.assertEqual(root.samples, 4)
        beacon, database = root.calls["lean-beacon"], root.calls["rocksdb:high"]
        self.assertEqual((beacon.samples, database.samples), (2, 2))
        verify = beacon.calls["lean::beacon::SignatureVerifier::Verify"]
        self.assertEqual(verify.samples, 2)
        self.assertEqual({name: box.samples for name, box in verify.calls.items()}, {"lean::xmss::Walk": 1})
        library = database.calls["librocksdb.so.7.8"]
        self.assertEqual(library.samples, 2, "calls without symbols are one box")
        self.assertEqual(list(library.calls), ["do_syscall_64"])

    def test_names_lose_templates_and_parameters(self):
        for symbol, name in (
                ("std::vector<int, std::allocator<int> >::push_back(int const&)", "std::vector::push_back"),
                ("void lean::(anonymous namespace)::Permute<Lane, 24ul>(Lane*)", "lean::Permute"),
                ("__memmove_avx_unaligned_erms", "__memmove_avx_unaligned_erms"),
                ("operator new[](unsigned long)", "operator new[]"),
        ):
            self.assertEqual(flame_graph.plain_name(symbol, "library"), name)

    def test_the_graph_is_a_picture_with_a_box_for_each_share(self):
        graph = flame_graph.draw(flame_graph.read_samples(SAMPLES.splitlines()), "a <title>")
        picture = xml.etree.ElementTree.fromstring(graph)
        titles = [title.text for title in picture.iter("{http://www.w3.org/2000/svg}title")]
        self.assertIn("lean-beacon: 50.0 %", titles)
        self.assertIn("lean::xmss::Walk: 25.0 %", titles)
        self.assertEqual(len(titles), 7)


if __name__ == "__main__":
    unittest.main()
