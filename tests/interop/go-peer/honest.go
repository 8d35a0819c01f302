package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"github.com/golang/snappy"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
)

const patience = 10 * time.Second

func topicOf(kind string) string { return "/leanconsensus/devnet0/" + kind + "/ssz_snappy" }

func decompress(data []byte) ([]byte, error) {
	if size, err := snappy.DecodedLen(data); err != nil || size > maxContent {
		return nil, fmt.Errorf("no snappy, or %d bytes: %w", size, err)
	}
	return snappy.Decode(nil, data)
}

// The first 20 bytes of SHA-256(domain, length of the topic, topic, data).
func messageID(message *pb.Message) string {
	domain, data := []byte{0, 0, 0, 0}, message.Data
	if content, err := decompress(data); err == nil {
		domain, data = []byte{1, 0, 0, 0}, content
	}
	topic := message.GetTopic()
	length := binary.LittleEndian.AppendUint64(nil, uint64(len(topic)))
	hash := sha256.Sum256(bytes.Join([][]byte{domain, length, []byte(topic), data}, nil))
	return string(hash[:20])
}

func newGossip(ctx context.Context, h host.Host, options ...pubsub.Option) (*pubsub.PubSub, error) {
	parameters := pubsub.DefaultGossipSubParams()
	parameters.D, parameters.Dlo, parameters.Dhi, parameters.Dlazy, parameters.Dout, parameters.Dscore = 8, 6, 12, 6, 2, 4
	parameters.HeartbeatInterval = 700 * time.Millisecond
	parameters.FanoutTTL = time.Minute
	parameters.HistoryLength, parameters.HistoryGossip = 6, 3
	return pubsub.NewGossipSub(ctx, h, append([]pubsub.Option{
		pubsub.WithGossipSubParams(parameters),
		pubsub.WithMessageIdFn(messageID),
		pubsub.WithMessageSignaturePolicy(pubsub.StrictNoSign),
		pubsub.WithNoAuthor(),
		pubsub.WithSeenMessagesTTL(24 * time.Second),
		pubsub.WithMaxMessageSize(maxContent),
		pubsub.WithFloodPublish(false),
	}, options...)...)
}

type node struct {
	host host.Host
	lock sync.Mutex
	// SSZ of the status of the peer with the newest head.
	status []byte
	blocks map[[32]byte][]byte
}

func (n *node) ownStatus() []byte { n.lock.Lock(); defer n.lock.Unlock(); return n.status }

func (n *node) heardStatus(status []byte) {
	if len(status) != 2*checkpointSize {
		return
	}
	head := func(status []byte) uint64 { return binary.LittleEndian.Uint64(status[72:]) }
	n.lock.Lock()
	defer n.lock.Unlock()
	if head(status) >= head(n.status) {
		n.status = status
	}
}

func (n *node) onGossip(kind string, from peer.ID, data []byte) pubsub.ValidationResult {
	ssz, err := decompress(data)
	if err != nil {
		return pubsub.ValidationReject
	}
	told := fields{"kind": kind, "from": from.String(), "bytes": len(ssz)}
	if kind == "block" {
		block, err := blockOf(ssz)
		if err != nil {
			return pubsub.ValidationReject
		}
		n.lock.Lock()
		n.blocks[block.root] = ssz
		n.lock.Unlock()
		told["root"], told["slot"] = hex.EncodeToString(block.root[:]), block.slot
		go n.askAgain(from, block.root, ssz)
	}
	say("gossip", told)
	return pubsub.ValidationAccept
}

// Requests a block that arrived by gossip from its sender, in both framings.
func (n *node) askAgain(from peer.ID, root [32]byte, ssz []byte) {
	for _, count := range []lengthOf{ofContent, ofCompressed} {
		answer, answered, err := n.request(from, byRootProtocol, writeRoots([][]byte{root[:]}, count), count)
		said := fields{"framing": count.String(), "same": bytes.Equal(answer, ssz) && answered == count}
		if err != nil {
			said["error"] = err.Error()
		}
		say("block_by_root", said)
	}
}

// Sends a request. Returns the first chunk of the answer, or an empty one.
func (n *node) request(to peer.ID, protocol string, ssz []byte, count lengthOf) ([]byte, lengthOf, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	stream, err := n.host.NewStream(ctx, to, idOf(protocol))
	if err != nil {
		return nil, count, err
	}
	defer stream.Close()
	if err := stream.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, count, err
	}
	if _, err := stream.Write(writeFrame(ssz, count)); err != nil {
		return nil, count, err
	}
	if err := stream.CloseWrite(); err != nil {
		return nil, count, err
	}
	reader := bufio.NewReader(stream)
	code, err := reader.ReadByte()
	if err != nil {
		return nil, count, err
	}
	content, answered, err := readFrame(reader)
	if err == nil && code != 0 {
		err = fmt.Errorf("code %d: %s", code, content)
	}
	return content, answered, err
}

// Answers the requests of a protocol with one chunk for each part.
func (n *node) answer(protocol string, parts func(from peer.ID, request []byte) [][]byte) {
	n.host.SetStreamHandler(idOf(protocol), func(stream network.Stream) {
		defer stream.Close()
		// Errors end the stream.
		_ = stream.SetDeadline(time.Now().Add(patience))
		request, count, err := readFrame(bufio.NewReader(stream))
		if err != nil {
			return
		}
		for _, part := range parts(stream.Conn().RemotePeer(), request) {
			if _, err := stream.Write(append([]byte{0}, writeFrame(part, count)...)); err != nil {
				return
			}
		}
	})
}

func (n *node) askForStatus(to peer.ID) {
	status, _, err := n.request(to, statusProtocol, n.ownStatus(), ofContent)
	said := fields{"peer": to.String(), "bytes": len(status)}
	if err != nil {
		said["error"] = err.Error()
	}
	say("status", said)
	n.heardStatus(status)
}

func serve(ctx context.Context, targets []peer.AddrInfo, status []byte) error {
	h, err := newHost("go-peer/1")
	if err != nil {
		return err
	}
	defer h.Close()
	n := &node{host: h, status: status, blocks: map[[32]byte][]byte{}}
	n.answer(statusProtocol, func(_ peer.ID, request []byte) [][]byte {
		n.heardStatus(request)
		return [][]byte{n.ownStatus()}
	})
	n.answer(byRootProtocol, func(from peer.ID, request []byte) [][]byte {
		roots, err := readRoots(request)
		if err != nil {
			return nil
		}
		var found [][]byte
		n.lock.Lock()
		for _, root := range roots {
			if block, ok := n.blocks[[32]byte(root)]; ok {
				found = append(found, block)
			}
		}
		n.lock.Unlock()
		say("served", fields{"peer": from.String(), "asked": len(roots), "found": len(found)})
		return found
	})
	gossip, err := newGossip(ctx, h)
	if err != nil {
		return err
	}
	for _, kind := range []string{"block", "attestation"} {
		err := gossip.RegisterTopicValidator(topicOf(kind), func(_ context.Context, from peer.ID, m *pubsub.Message) pubsub.ValidationResult {
			return n.onGossip(kind, from, m.Data)
		})
		if err != nil {
			return err
		}
		topic, err := gossip.Join(topicOf(kind))
		if err != nil {
			return err
		}
		subscription, err := topic.Subscribe()
		if err != nil {
			return err
		}
		go func() {
			for {
				if _, err := subscription.Next(ctx); err != nil {
					return
				}
			}
		}()
	}
	for _, target := range targets {
		go stayConnected(ctx, h, target, func() { n.askForStatus(target.ID) })
	}
	<-ctx.Done()
	return nil
}
