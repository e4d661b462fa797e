package journal

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
)

// Header is what the first frame of a segment says.
type Header struct {
	// Number is that of the segment. Created is when it was created, in unix milliseconds.
	Number  int64
	Created int64
	Node    Node
}

// appendHeader appends the begin of a segment: magic, version and the header's frame. It
// returns the checksum from which those of the other frames go on.
func appendHeader(dst []byte, h Header) ([]byte, uint32, error) {
	if err := checkHeader(h); err != nil {
		return dst, 0, err
	}
	start := len(dst)
	dst = append(append(dst, segmentMagic...), formatVersion)
	from := checksum(0, nil, dst[start:])
	frame := len(dst)
	dst = beginFrame(dst, typeHeader)
	dst = binary.AppendUvarint(dst, uint64(h.Number))
	dst = binary.AppendVarint(dst, h.Created)
	for _, text := range []string{h.Node.NodeID, h.Node.Role, h.Node.PodName, h.Node.AgentVersion} {
		dst = appendText(dst, text)
	}
	dst = binary.AppendUvarint(dst, uint64(len(h.Node.Labels)))
	for _, name := range slices.Sorted(maps.Keys(h.Node.Labels)) {
		dst = appendText(appendText(dst, name), h.Node.Labels[name])
	}
	sum, err := endFrame(dst, frame, from)
	return dst, sum, err
}

func checkHeader(h Header) error {
	if h.Number < 0 {
		return fmt.Errorf("segment number %d is negative", h.Number)
	}
	if n := len(h.Node.Labels); n > maxNodeLabels {
		return fmt.Errorf("the node has %d labels, a segment at most %d", n, maxNodeLabels)
	}
	texts := []string{h.Node.NodeID, h.Node.Role, h.Node.PodName, h.Node.AgentVersion}
	for name, value := range h.Node.Labels {
		texts = append(texts, name, value)
	}
	for _, text := range texts {
		if len(text) > maxHeaderTextBytes {
			return fmt.Errorf("a text of the node has %d bytes, in a segment at most %d", len(text), maxHeaderTextBytes)
		}
	}
	return nil
}

// parseHeader reads the body of the header's frame. A later program may add fields at its end.
func parseHeader(b body) (h Header, ok bool) {
	h.Number = int64(b.uvarint())
	h.Created = b.varint()
	for _, text := range []*string{&h.Node.NodeID, &h.Node.Role, &h.Node.PodName, &h.Node.AgentVersion} {
		*text = b.text(maxHeaderTextBytes)
	}
	const bytesOfLabel = 2
	if n := b.count(maxNodeLabels, bytesOfLabel); n > 0 {
		h.Node.Labels = make(map[string]string, n)
		for range n {
			name := b.text(maxHeaderTextBytes)
			h.Node.Labels[name] = b.text(maxHeaderTextBytes)
		}
	}
	return h, !b.bad && h.Number >= 0
}
