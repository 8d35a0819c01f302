// A lean peer on another team's libp2p: it forwards gossip between the nodes that it dials, tells each the status of the
// other, serves the blocks that it has received, and requests them in both framings. With -hostile it attacks instead.
//
// It prints one JSON object on each line, with the field "event".
package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	quic "github.com/libp2p/go-libp2p/p2p/transport/quic"
)

var output = struct {
	sync.Mutex
	*json.Encoder
}{Encoder: json.NewEncoder(os.Stdout)}

type fields map[string]any

func say(event string, more fields) {
	line := fields{"event": event}
	for name, value := range more {
		line[name] = value
	}
	output.Lock()
	defer output.Unlock()
	// An error means that nobody reads it.
	_ = output.Encode(line)
}

func newHost(agent string) (host.Host, error) {
	key, _, err := crypto.GenerateSecp256k1Key(nil)
	if err != nil {
		return nil, err
	}
	return libp2p.New(libp2p.Identity(key), libp2p.NoListenAddrs, libp2p.NoTransports, libp2p.Transport(quic.NewTransport),
		libp2p.DisableRelay(), libp2p.DisableMetrics(), libp2p.DisableIdentifyAddressDiscovery(), libp2p.UserAgent(agent))
}

// Dials whenever there is no connection.
func stayConnected(ctx context.Context, h host.Host, to peer.AddrInfo, connected func()) {
	for ctx.Err() == nil {
		if h.Network().Connectedness(to.ID) != network.Connected {
			attempt, cancel := context.WithTimeout(ctx, 5*time.Second)
			err := h.Connect(attempt, to)
			cancel()
			if err == nil {
				say("connected", fields{"peer": to.ID.String()})
				connected()
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(500 * time.Millisecond):
		}
	}
}

func run() error {
	peers := flag.String("peers", "", "multiaddrs to dial, separated by commas")
	hostile := flag.String("hostile", "", "attacks, separated by commas, on the first of the peers, instead")
	statusHex := flag.String("status", "", "SSZ of the Status that it begins with, in hex")
	seconds := flag.Int("seconds", 5, "how long each attack lasts")
	flag.Parse()
	status, err := hex.DecodeString(*statusHex)
	if err != nil || len(status) != 2*checkpointSize {
		return fmt.Errorf("-status has not %d bytes in hex", 2*checkpointSize)
	}
	var targets []peer.AddrInfo
	for _, text := range strings.Split(*peers, ",") {
		info, err := peer.AddrInfoFromString(text)
		if err != nil {
			return fmt.Errorf("%q: %w", text, err)
		}
		targets = append(targets, *info)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if *hostile != "" {
		return attackAll(ctx, targets[0], status, strings.Split(*hostile, ","), time.Duration(*seconds)*time.Second)
	}
	return serve(ctx, targets, status)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
