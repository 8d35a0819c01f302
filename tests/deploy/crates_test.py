"""The check of crates finds what it is to find."""

import unittest

import check_crates

POLICY = {
    "licenses": {"allow": ["MIT", "Apache-2.0", "ISC"]},
    "bans": {"deny": [{"crate": "tokio", "deny-multiple-versions": True}, {"crate": "openssl-sys"}]},
}


def crate(name, version="1.0.0", **other):
    return {"name": name, "version": version, "source": check_crates.REGISTRY, "license": "MIT", "publish": None, **other}


class CratesTest(unittest.TestCase):
    def test_licences(self):
        allowed = {"MIT", "ISC", "Apache-2.0 WITH LLVM-exception"}
        for good in ("MIT", "GPL-3.0 OR MIT", "MIT/GPL-3.0", "ISC AND (GPL-3.0 OR MIT)", "Apache-2.0 WITH LLVM-exception"):
            self.assertTrue(check_crates.allows(good, allowed), good)
        for bad in ("GPL-3.0", "MIT AND GPL-3.0", "(MIT OR ISC) AND GPL-3.0", "Apache-2.0", "MIT AND (GPL-3.0 OR BSD-3-Clause)"):
            self.assertFalse(check_crates.allows(bad, allowed), bad)

    def test_what_fits(self):
        own = crate("lean-p2p", source=None, license=None, publish=[])
        self.assertEqual(list(check_crates.faults([own, crate("tokio"), crate("rand"), crate("rand", "2.0.0")], POLICY)), [])

    def test_what_does_not(self):
        for packages, fault in (
            ([crate("a", license="GPL-3.0")], "a 1.0.0 has the licence GPL-3.0"),
            ([crate("a", license=None)], "a 1.0.0 names no licence"),
            ([crate("a", source="git+https://example.org/a")], "a 1.0.0 comes from git+https://example.org/a"),
            ([crate("a", source=None)], "a 1.0.0 is a crate of this machine"),
            ([crate("openssl-sys")], "openssl-sys must not be there"),
            ([crate("tokio"), crate("tokio", "2.0.0")], "tokio is there in several versions: 1.0.0, 2.0.0"),
        ):
            self.assertEqual(list(check_crates.faults(packages, POLICY)), [fault])


if __name__ == "__main__":
    unittest.main()
