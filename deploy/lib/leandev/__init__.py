"""Runs lean-beacon, lean-validator and lean-p2p as real processes, for deploy/devnet and for the tests in tests/e2e.

It uses the standard library, and python3-grpcio (Debian) for calls to the beacon.
"""
