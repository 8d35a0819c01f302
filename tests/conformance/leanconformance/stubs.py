"""The modules of proto/lean/v1, generated on the spot unless they are there already."""

import importlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

PROTO = pathlib.Path(__file__).resolve().parents[3] / "proto"
FILES = ("google/rpc/error_details", "google/rpc/status", "lean/v1/types", "lean/v1/beacon", "lean/v1/validator",
         "lean/v1/signer")


def _generate():
    plugin = shutil.which("grpc_python_plugin")
    if plugin is None or shutil.which("protoc") is None:
        sys.exit("protoc and grpc_python_plugin are needed (Debian: protobuf-compiler, protobuf-compiler-grpc)")
    directory = tempfile.mkdtemp(prefix="lean-stubs-")
    protos = [f"{name}.proto" for name in FILES]
    subprocess.run(
        ["protoc", f"-I{PROTO}", f"--python_out={directory}", f"--grpc_out={directory}",
         f"--plugin=protoc-gen-grpc={plugin}", *protos], check=True)
    return directory


def _load():
    given = os.environ.get("LEAN_STUBS")
    directory = given or _generate()
    sys.path.insert(0, directory)
    try:
        return [importlib.import_module(f"{module}_pb2{suffix}") for module, suffix in (
            ("google.rpc.error_details", ""), ("google.rpc.status", ""), ("lean.v1.types", ""), ("lean.v1.beacon", ""),
            ("lean.v1.beacon", "_grpc"), ("lean.v1.validator", ""), ("lean.v1.validator", "_grpc"),
            ("lean.v1.signer", ""), ("lean.v1.signer", "_grpc"))]
    finally:
        if not given:
            shutil.rmtree(directory)


(error_details, rpc_status, types, beacon, beacon_grpc, validator, validator_grpc, signer,
 signer_grpc) = _load()
