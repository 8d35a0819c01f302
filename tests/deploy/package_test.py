"""The Debian packages in a separate Debian: their users, files and units; all three programs run as their units start them,
and finalize; an upgrade keeps settings and data; a purge keeps keys."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import debian_root

BUILD_DIR = pathlib.Path(os.environ["LEAN_BUILD_DIR"])
PROGRAMS = ("lean-p2p", "lean-beacon", "lean-validator")  # in the order in which they start
SETTINGS = {"lean-p2p": "p2p.yaml", "lean-beacon": "beacon.yaml", "lean-validator": "validator.yaml"}
# Of 100: 2.0 in the words of systemd-analyze.
MOST_EXPOSED = 20

GENESIS = """
umask 077
openssl rand -hex 16 >/tmp/password
lean-validator keys new --output /tmp/keys --indices 0..3 --xmss-log-lifetime 16 --active-slots 1024 --password-file /tmp/password
install -d -o lean-validator -g lean-validator -m 0700 /var/lib/lean-validator
cp -r /tmp/keys /tmp/password /var/lib/lean-validator/
chown -R lean-validator: /var/lib/lean-validator
umask 022
lean-beacon genesis --output /etc/lean/genesis --genesis-delay 10 --slot-ms 1000 --xmss-log-lifetime 16 --pubkeys-from /tmp/keys/keystores.yaml
"""

# Starts the units' commands, waits until $1 more slots are finalized, and stops them. $2: the most seconds.
RUN = """
finalized() { grep -o 'finalized slot=[0-9]*' /tmp/lean-beacon.log | tail -n 1 | tr -dc 0-9; }
: >/tmp/lean-beacon.log
start
first=
for second in $(seq "$2"); do
  now=$(finalized)
  [ -z "$now" ] || first=${first:-$now}
  [ -z "$now" ] || [ "$now" -lt $((first + $1)) ] || break
  sleep 1
done
stat -c '%n %a %U %G' /run/lean-p2p /run/lean-p2p/engine /var/lib/lean-p2p /var/lib/lean-beacon /var/lib/lean-validator
for user in lean-validator nobody; do
  ! setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups test -w /run/lean-p2p/engine || echo "$user can write to the socket"
done
for pid in $pids; do
  grep -E '^(Name|Uid|CapEff|NoNewPrivs)' "/proc/$pid/status" | tr '\\n' ' ' || echo "it has ended: $pid"
  echo
done
kill $pids
for pid in $pids; do wait "$pid"; echo "exit code $?"; done
echo "finalized from ${first:-nothing} to ${now:-nothing}"
tail -n 15 /tmp/lean-*.log
"""


def unit(text, name, default=""):
    found = re.search(rf"(?m)^{name}=(.*)$", text)
    return found[1] if found else default


def start_commands(units):
    """Shell commands that do what systemd does for these units: folders, user, groups, environment, command."""
    lines = ["pids="]
    for program, text in units.items():
        user, group = unit(text, "User"), unit(text, "Group")
        for kind, parent in (("State", "/var/lib"), ("Runtime", "/run")):
            if folder := unit(text, f"{kind}Directory"):
                lines.append(f"install -d -o {user} -g {group} -m {unit(text, f'{kind}DirectoryMode')} {parent}/{folder}")
        groups = ",".join([group, *unit(text, "SupplementaryGroups").split()])
        environment = unit(text, "EnvironmentFile").lstrip("-")
        # A file of variables for systemd is no script: spaces need no quotes.
        lines += [f"(while read -r line; do case $line in [A-Z]*=*) export \"$line\" ;; esac; done <{environment or '/dev/null'}",
                  f"umask {unit(text, 'UMask')}",
                  f"exec setpriv --reuid {user} --regid {group} --groups {groups} --bounding-set=-all --inh-caps=-all --no-new-privs "
                  f"-- {unit(text, 'ExecStart')}) >>/tmp/{program}.log 2>&1 & pids=\"$pids $!\""]
        if program == "lean-p2p":
            lines.append("for i in $(seq 50); do [ -S /run/lean-p2p/engine ] && break; sleep 0.2; done")
    return "start() {\n" + "\n".join(lines) + "\n}\n"


class PackageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="lean-packages-", dir="/var/tmp"))
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        cls.debian = debian_root.DebianRoot(["systemd", "openssl", "procps"])
        cls.addClassCleanup(cls.debian.remove)
        for version in ("0.1.0", "0.1.1"):
            subprocess.run(["cpack", "-G", "DEB", "-D", f"CPACK_PACKAGE_VERSION={version}", "-D",
                            f"CPACK_OUTPUT_FILE_PREFIX={cls.debian.path / 'packages' / version}"],
                           cwd=BUILD_DIR, check=True, stdout=subprocess.DEVNULL)
        cls.inside("apt-get", "update", "-q")
        cls.installed = cls.install("0.1.0")

    @classmethod
    def inside(cls, *command, **how):
        code, said = cls.debian.run(*command, **how)
        if code != 0:
            raise AssertionError(f"exit code {code} of {command}\n{said}")
        return said

    @classmethod
    def install(cls, version):
        return cls.inside("sh", "-ec", f"apt-get install -q -y --no-install-recommends /packages/{version}/*.deb")

    def file(self, path):
        return self.debian.path / path.lstrip("/")

    def run_node(self, slots, seconds):
        units = {program: self.file(f"/usr/lib/systemd/system/{program}.service").read_text() for program in PROGRAMS}
        said = self.inside("sh", "-c", start_commands(units) + RUN, "sh", str(slots), str(seconds), own_network=True)
        first, last = re.search(r"finalized from (\w+) to (\w+)", said).groups()
        self.assertTrue(first.isdigit() and last.isdigit() and int(last) >= int(first) + slots, said)
        self.assertEqual(said.count("exit code 0\n"), 3, said)
        return said, int(last)

    def test_1_users_and_files(self):
        passwd = self.file("/etc/passwd").read_text()
        for program in PROGRAMS:
            self.assertRegex(passwd, rf"(?m)^{program}:x:\d+:\d+:[^:]*:/var/lib/{program}:/usr/sbin/nologin$")
            for path in (f"usr/share/man/man1/{program}.1.gz", f"usr/share/bash-completion/completions/{program}",
                         f"usr/share/doc/{program}/copyright", f"usr/lib/systemd/system/{program}.service"):
                self.assertTrue(self.file(path).is_file(), path)
            self.assertIn(f"/etc/lean/{SETTINGS[program]}", self.inside("dpkg-query", "-W", "-f", "${Conffiles}", program))
            self.inside(program, "--version")
        members = re.search(r"(?m)^lean-engine:x:\d+:(.*)$", self.file("/etc/group").read_text())[1]
        self.assertEqual(set(members.split(",")), {"lean-p2p", "lean-beacon"})
        for program, settings in (("lean-beacon", "beacon"), ("lean-validator", "validator")):
            self.inside(program, "config", "check", "--config", f"/etc/lean/{settings}.yaml")

    def test_2_systemd_takes_the_units_and_calls_them_safe(self):
        for program in PROGRAMS:
            path = f"/usr/lib/systemd/system/{program}.service"
            self.assertEqual(self.inside("systemd-analyze", "--no-pager", "verify", "--man=no", path), "")
            self.inside("systemd-analyze", "--no-pager", "security", "--offline=yes", f"--threshold={MOST_EXPOSED}", path)

    def test_3_the_units_commands_run_as_their_users_and_finalize(self):
        self.inside("sh", "-ec", GENESIS)
        said, _ = self.run_node(slots=2, seconds=90)
        for line in ("/run/lean-p2p 750 lean-p2p lean-engine", "/run/lean-p2p/engine 660 lean-p2p lean-engine",
                     "/var/lib/lean-p2p 700 lean-p2p lean-engine", "/var/lib/lean-beacon 700 lean-beacon lean-beacon",
                     "/var/lib/lean-validator 700 lean-validator lean-validator"):
            self.assertIn(line + "\n", said)
        self.assertNotIn("can write to the socket", said)
        for program in PROGRAMS:
            self.assertRegex(said, rf"Name:\t{program} Uid:\t[1-9]\d*\t.*CapEff:\t0+ NoNewPrivs:\t1")
        self.assertNotIn(" error ", said)

    def test_4_an_upgrade_keeps_settings_and_data(self):
        settings = self.file("/etc/lean/beacon.yaml")
        settings.write_text(settings.read_text() + "name: mine\n")
        key = self.file("/var/lib/lean-p2p/node.key").read_text()
        said = self.install("0.1.1")
        for program in PROGRAMS:
            self.assertEqual(self.inside("dpkg-query", "-W", "-f", "${Version}", program), "0.1.1", said)
        self.assertIn("name: mine\n", settings.read_text())
        said, last = self.run_node(slots=2, seconds=90)
        self.assertIn("name=mine", self.file("/tmp/lean-beacon.log").read_text())
        self.assertGreater(last, 4)
        self.assertEqual(self.file("/var/lib/lean-p2p/node.key").read_text(), key)

    def test_5_a_purge_keeps_keys_and_records(self):
        said = self.inside("apt-get", "purge", "-q", "-y", *PROGRAMS)
        self.assertIn("/var/lib/lean-validator is kept", said)
        self.assertTrue(self.file("/var/lib/lean-validator/keys/signing_records.sqlite").is_file())
        for program in PROGRAMS:
            self.assertFalse(self.file(f"/etc/lean/{SETTINGS[program]}").exists())
            self.assertFalse(self.file(f"/usr/bin/{program}").exists())


if __name__ == "__main__":
    why = debian_root.missing()
    if not why and not all((BUILD_DIR / "pages" / f"{program}.1.gz").is_file() for program in PROGRAMS):
        why = "the target lean-package was not built"
    if not why and not shutil.which("dpkg-shlibdeps"):
        why = "dpkg-dev is not installed (deploy/setup --package)"
    if why:
        print(f"skipped: {why}")
        sys.exit(77)
    unittest.main(verbosity=2)
