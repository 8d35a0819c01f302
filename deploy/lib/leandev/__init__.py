"""Runs lean-beacon and lean-validator as real processes: for deploy/devnet and for the tests in tests/e2e.

Standard library only, beside python3-grpcio (Debian) for the calls on the beacon.
"""
