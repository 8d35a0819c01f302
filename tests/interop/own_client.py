"""A node of ours with the command line of lean-quickstart's clients: the other client of the harness in the ordinary
tests.

It accepts what the harness passes to any client, and ends on SIGTERM. It passes options that it does not know to
lean-p2p.
"""

import argparse
import pathlib
import signal
import sys
import threading

import e2e
from own_node import OwnNode


def main():
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--genesis", type=pathlib.Path, required=True, help="folder with config.yaml and the other files")
    parser.add_argument("--node-id", required=True, help="the node's name in validators.yaml")
    parser.add_argument("--node-key", type=pathlib.Path, required=True)
    parser.add_argument("--port", type=int, required=True, help="for QUIC")
    parser.add_argument("--data", type=pathlib.Path, required=True)
    options, engine_options = parser.parse_known_args()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    node = OwnNode(e2e.BUILD_DIR, options.genesis, options.node_id, options.data)
    try:
        node.start(options.node_key, f"127.0.0.1:{options.port}", engine_options)
        while not stop.wait(0.5):
            ended = node.ended()
            if ended:
                sys.exit(f"{ended.name} ended with exit code {ended.exit_code()}:\n{ended.log_tail()}")
    finally:
        node.stop()


if __name__ == "__main__":
    main()
