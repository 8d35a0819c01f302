"""Dockerfile and compose file, without a container engine: stages and users, what is installed, volumes, and settings that the
programs accept."""

import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

try:
    import yaml
except ImportError:
    print("skipped: python3-yaml is not installed")
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ["LEAN_BUILD_DIR"]) / "bin"
FOLDER = ROOT / "deploy" / "container"
INSTRUCTIONS = {"FROM", "RUN", "COPY", "WORKDIR", "USER", "VOLUME", "EXPOSE", "ENTRYPOINT", "CMD"}
# The form of Compose that is used: its names below a service, and their types.
SERVICE = {"build": dict, "restart": str, "read_only": bool, "tmpfs": list, "cap_drop": list, "security_opt": list, "ports": list,
           "mem_limit": str, "volumes": list, "depends_on": list, "group_add": list, "environment": dict, "network_mode": str,
           "ulimits": dict}


def stages():
    """By name: [base, [(instruction, arguments)]]."""
    text = re.sub(r"(?m)^#.*\n", "", (FOLDER / "Dockerfile").read_text()).replace("\\\n", " ")
    found, name = {}, None
    for line in filter(None, map(str.strip, text.splitlines())):
        instruction, _, arguments = line.partition(" ")
        if instruction == "FROM":
            base, _, name = arguments.partition(" AS ")
            found[name] = [base, []]
        else:
            found[name][1].append((instruction, arguments))
    return found


class DockerfileTest(unittest.TestCase):
    def setUp(self):
        self.stages = stages()

    def of(self, name, instruction):
        return [arguments for word, arguments in self.stages[name][1] if word == instruction]

    def test_stages_follow_from_each_other(self):
        self.assertEqual(set(self.stages), {"build", "base", "p2p", "beacon", "validator", "node"})
        known = {"debian:12", "debian:12-slim"}
        for name, (base, instructions) in self.stages.items():
            self.assertIn(base, known)
            known.add(name)
            self.assertLessEqual({word for word, _ in instructions}, INSTRUCTIONS)
            for source in re.findall(r"from=(\w+)", str(instructions)):
                self.assertIn(source, known)

    def test_images_run_without_privileges_and_without_a_shell(self):
        users = dict(re.findall(r"useradd --system --uid (\d+) \S+ \S+ ([\w-]+)", str(self.of("base", "RUN"))))
        for name in ("p2p", "beacon", "validator", "node"):
            self.assertEqual(self.stages[name][0], "base")
            user, = self.of(name, "USER")
            self.assertIn(user.split(":")[0], users.values())
            for instruction in ("ENTRYPOINT", "CMD"):
                words, = self.of(name, instruction)
                self.assertIsInstance(json.loads(words), list)

    def test_packages_are_installed_whole_and_lists_are_removed(self):
        for name in ("base", "p2p", "beacon", "validator", "node"):
            command, = self.of(name, "RUN")
            self.assertRegex(command, r"apt-get update +&& apt-get install --yes --no-install-recommends .*rm -rf /var/lib/apt/lists/\*")
        for name in ("p2p", "beacon", "validator"):
            self.assertIn(f"/packages/lean-{name}_*.deb", self.of(name, "RUN")[0])

    def test_copied_files_exist(self):
        for name in self.stages:
            for arguments in self.of(name, "COPY"):
                *sources, _ = arguments.split()
                for source in sources:
                    self.assertTrue((ROOT / source).exists(), source)
        self.assertEqual(self.of("build", "RUN"), ["deploy/package/build --output /packages"])

    def test_programs_accept_the_commands(self):
        for name in ("beacon", "validator"):
            program, = json.loads(self.of(name, "ENTRYPOINT")[0])
            settings = ROOT / "deploy" / "package" / "etc" / f"{name}.yaml"
            self.assertEqual(json.loads(self.of(name, "CMD")[0]), ["run", "--config", f"/etc/lean/{settings.name}"])
            subprocess.run([BIN / program, "config", "check", "--config", settings], check=True, stdout=subprocess.DEVNULL)


class ComposeTest(unittest.TestCase):
    def setUp(self):
        self.compose = yaml.safe_load((FOLDER / "compose.yaml").read_text())
        self.services = self.compose["services"]

    def test_its_form_is_that_of_compose(self):
        self.assertEqual(set(self.compose) - {"x-hardened"}, {"name", "services", "volumes"})
        self.assertEqual(set(self.services), {"p2p", "beacon", "validator"})
        for name, service in self.services.items():
            for key, value in service.items():
                self.assertIsInstance(value, SERVICE[key], f"{name}.{key}")

    def test_services_are_built_from_stages_that_exist_and_hardened(self):
        for name, service in self.services.items():
            build = service["build"]
            self.assertTrue((FOLDER / build["context"] / build["dockerfile"]).samefile(FOLDER / "Dockerfile"))
            self.assertEqual(build["target"], name)
            self.assertIn(name, stages())
            self.assertEqual((service["read_only"], service["cap_drop"], service["security_opt"]),
                             (True, ["ALL"], ["no-new-privileges:true"]))
            for other in service.get("depends_on", []):
                self.assertIn(other, self.services)

    def test_volumes_exist_and_are_folders_of_the_programs(self):
        for service in self.services.values():
            for volume in service["volumes"]:
                source, target, *mode = re.match(r"(\$\{[^}]*\}|[^:]+):([^:]+)(?::(ro))?$", volume).groups()
                self.assertTrue(source.startswith("${") or source in self.compose["volumes"], volume)
                self.assertRegex(target, r"^/(run/lean-p2p|var/lib/lean-\w+(/keys)?|etc/lean/genesis)$")

    def test_only_the_engine_is_reachable(self):
        self.assertEqual({name: service["ports"] for name, service in self.services.items() if "ports" in service},
                         {"p2p": ["9000:9000/udp"]})
        self.assertEqual(self.services["validator"]["network_mode"], "service:beacon")
        self.assertIn(self.services["beacon"]["group_add"][0], re.findall(r"--gid (\d+)", (FOLDER / "Dockerfile").read_text()))

    def test_programs_accept_the_settings(self):
        for name in ("beacon", "validator"):
            done = subprocess.run(
                [BIN / f"lean-{name}", "config", "check", "--config", ROOT / "deploy" / "package" / "etc" / f"{name}.yaml"],
                env={**os.environ, **self.services[name]["environment"]}, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
