package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/golang/snappy"
)

const (
	statusProtocol = "/leanconsensus/req/status/1/ssz_snappy"
	byRootProtocol = "/leanconsensus/req/blocks_by_root/1/ssz_snappy"
	maxContent     = 16 << 20
	maxRoots       = 1024
)

// What the length of a frame counts.
type lengthOf int

const (
	ofContent lengthOf = iota
	ofCompressed
)

func (l lengthOf) String() string { return [...]string{"content", "compressed"}[l] }

func writeFrame(content []byte, count lengthOf) []byte {
	var compressed bytes.Buffer
	writer := snappy.NewBufferedWriter(&compressed)
	// A buffer takes everything.
	_, _ = writer.Write(content)
	_ = writer.Close()
	length := len(content)
	if count == ofCompressed {
		length = compressed.Len()
	}
	return append(binary.AppendUvarint(nil, uint64(length)), compressed.Bytes()...)
}

// Reads a frame. Returns its content and what its length counts: the number that is reached at the end of a chunk.
func readFrame(reader *bufio.Reader) ([]byte, lengthOf, error) {
	length, err := binary.ReadUvarint(reader)
	if err != nil {
		return nil, ofContent, err
	}
	if length > maxContent {
		return nil, ofContent, fmt.Errorf("a frame of %d bytes", length)
	}
	var chunks []byte
	var content uint64
	for content != length && uint64(len(chunks)) != length {
		header := make([]byte, 4)
		if _, err := io.ReadFull(reader, header); err != nil {
			return nil, ofContent, err
		}
		body := make([]byte, int(header[1])|int(header[2])<<8|int(header[3])<<16)
		if _, err := io.ReadFull(reader, body); err != nil {
			return nil, ofContent, err
		}
		chunks = append(append(chunks, header...), body...)
		switch {
		case header[0] == 0x00 && len(body) > 4:
			size, err := snappy.DecodedLen(body[4:])
			if err != nil {
				return nil, ofContent, err
			}
			content += uint64(size)
		case header[0] == 0x01 && len(body) > 4:
			content += uint64(len(body) - 4)
		case header[0] != 0xfe && header[0] != 0xff:
			return nil, ofContent, errors.New("no snappy chunk")
		}
		if content > length && uint64(len(chunks)) > length {
			return nil, ofContent, errors.New("the frame is longer than it says")
		}
	}
	count := ofContent
	if content != length {
		count = ofCompressed
	}
	whole, err := io.ReadAll(snappy.NewReader(bytes.NewReader(chunks)))
	return whole, count, err
}

// Encodes roots as SSZ: a bare list, or a container with that list.
func writeRoots(roots [][]byte, count lengthOf) []byte {
	list := bytes.Join(roots, nil)
	if count == ofCompressed {
		return append([]byte{4, 0, 0, 0}, list...)
	}
	return list
}

func readRoots(ssz []byte) ([][]byte, error) {
	if len(ssz)%32 == 4 {
		ssz = ssz[4:]
	}
	if len(ssz)%32 != 0 || len(ssz) > 32*maxRoots {
		return nil, fmt.Errorf("roots of %d bytes", len(ssz))
	}
	var roots [][]byte
	for ; len(ssz) > 0; ssz = ssz[32:] {
		roots = append(roots, ssz[:32])
	}
	return roots, nil
}
