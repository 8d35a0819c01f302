#!/bin/bash
# The command of a node named leannode_N, for lean-quickstart's client-cmds. spin-node.sh sources it, and provides $item,
# $configDir, $dataDir, $privKeyPath, $quicPort and $metricsPort.
# shellcheck disable=SC2034,SC2154  # spin-node.sh uses and sets these variables

# The checkout of this project; by default it is beside lean-quickstart.
leanNodeDir=${LEAN_NODE_DIR:-$scriptDir/../lean-node}

# spin-node.sh ends its children by SIGKILL, and then the node stops in order.
node_binary="setpriv --pdeathsig TERM -- $leanNodeDir/deploy/quickstart/lean-node \
      --genesis $configDir \
      --data $dataDir/$item \
      --node-id $item --node-key $configDir/$privKeyPath \
      --quic-port $quicPort \
      --metrics-port $metricsPort"

# deploy/container/Dockerfile makes the image, whose target `node` has all three programs.
node_docker="lean-node:latest \
      --genesis /config \
      --data /data \
      --node-id $item --node-key /config/$privKeyPath \
      --quic-port $quicPort \
      --metrics-port $metricsPort"

# choose either binary or docker
node_setup="binary"
