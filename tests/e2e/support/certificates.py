"""Certificates of an authority that belongs to the test, created by openssl."""

import collections
import subprocess

Files = collections.namedtuple("Files", "cert key")


def _openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)


def make(directory, *names):
    """Files of an "authority", and its certificate for localhost for each of `names`, as a validator client. A "stranger"
    is self-signed."""
    directory.mkdir(mode=0o700)
    made = {}
    for name in ("authority", *names):
        files = Files(directory / f"{name}.cert.pem", directory / f"{name}.key.pem")
        signed_by = ()
        if name not in ("authority", "stranger"):
            signed_by = ("-CA", made["authority"].cert, "-CAkey", made["authority"].key)
        _openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
            "-subj", f"/CN={name}", "-addext",
            f"subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1,URI:lean://validator/{name}", "-keyout", files.key,
            "-out", files.cert, *signed_by)
        files.key.chmod(0o600)
        made[name] = files
    return made
