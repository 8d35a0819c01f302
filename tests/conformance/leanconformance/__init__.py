"""Judges implementations of proto/lean/v1: a fake beacon for validator clients, a fake validator client for beacons.

Standard library and python3-grpcio only. Nothing here imports, or knows of, any implementation.
"""
