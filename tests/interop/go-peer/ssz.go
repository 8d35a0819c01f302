package main

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
)

// The parts of hash_tree_root of SSZ that a block needs.

type chunk = [32]byte

func hashPair(left, right chunk) chunk { return sha256.Sum256(append(left[:], right[:]...)) }

// The root of a tree of 2^depth chunks.
func merkleize(chunks []chunk, depth int) chunk {
	var zero chunk
	for ; depth > 0; depth-- {
		if len(chunks)%2 == 1 {
			chunks = append(chunks, zero)
		}
		parents := make([]chunk, 0, len(chunks)/2)
		for i := 0; i < len(chunks); i += 2 {
			parents = append(parents, hashPair(chunks[i], chunks[i+1]))
		}
		chunks, zero = parents, hashPair(zero, zero)
	}
	if len(chunks) == 0 {
		return zero
	}
	return chunks[0]
}

func ofNumber(bytes []byte) (c chunk) { copy(c[:8], bytes); return c }
func ofRoot(bytes []byte) (c chunk)   { copy(c[:], bytes); return c }

// The root of a checkpoint: root and slot.
func ofCheckpoint(ssz []byte) chunk { return hashPair(ofRoot(ssz[:32]), ofNumber(ssz[32:40])) }

const (
	checkpointSize  = 40
	attestationSize = 8 + 8 + 3*checkpointSize
	depthOfVotes    = 12 // 4096 at most
)

// The root of an attestation: validator and data, which has slot, head, target and source.
func ofAttestation(ssz []byte) chunk {
	data := []chunk{ofNumber(ssz[8:16])}
	for i := range 3 {
		data = append(data, ofCheckpoint(ssz[16+i*checkpointSize:16+(i+1)*checkpointSize]))
	}
	return hashPair(ofNumber(ssz[:8]), merkleize(data, 2))
}

type checkpoint struct {
	root [32]byte
	slot uint64
}

// Returns root and slot of the block in SSZ(SignedBlockWithAttestation).
func blockOf(ssz []byte) (checkpoint, error) {
	malformed := errors.New("no block")
	offset := func(at int) int {
		if len(ssz) < at+4 {
			return len(ssz)
		}
		return int(binary.LittleEndian.Uint32(ssz[at:]))
	}
	// Two fields: message and signatures. The message has block and attestation, the block four fields and the body, and
	// the body a list.
	message, signatures := offset(0), offset(4)
	block := message + offset(message)
	const header = 8 + 8 + 32 + 32
	if signatures > len(ssz) || block+header+4 > signatures {
		return checkpoint{}, malformed
	}
	votes := block + offset(block+header) + 4
	if votes > signatures || (signatures-votes)%attestationSize != 0 {
		return checkpoint{}, malformed
	}
	var leaves []chunk
	for at := votes; at < signatures; at += attestationSize {
		leaves = append(leaves, ofAttestation(ssz[at:at+attestationSize]))
	}
	count := binary.LittleEndian.AppendUint64(nil, uint64(len(leaves)))
	body := hashPair(merkleize(leaves, depthOfVotes), ofNumber(count))
	fields := []chunk{
		ofNumber(ssz[block : block+8]), ofNumber(ssz[block+8 : block+16]), ofRoot(ssz[block+16 : block+48]),
		ofRoot(ssz[block+48 : block+80]), body,
	}
	return checkpoint{merkleize(fields, 3), binary.LittleEndian.Uint64(ssz[block : block+8])}, nil
}
