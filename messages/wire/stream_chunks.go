package wire

import (
	"strings"
	"unicode/utf8"

	"fodc/messages"

	"google.golang.org/protobuf/proto"
)

// Sizes that Chunks allows for.
const (
	// envelopeBytes is more than a message takes beside its lists: request id, flags, time.
	envelopeBytes = 64
	// elementBytes is more than an element of a list takes beside its own bytes.
	elementBytes = 6
)

// Chunks splits a *Topology, a *Lifecycle or a *SchemaGroup into parts whose frames, encoded, have at
// most limit bytes each, except for a single element that is longer. JoinTopology and its neighbours of
// package messages put them together again. Any other part is returned as it is.
func Chunks(p messages.Part, limit int) []messages.Part {
	switch p := p.(type) {
	case *messages.Topology:
		return topologyChunks(p, limit)
	case *messages.Lifecycle:
		return lifecycleChunks(p, limit)
	case *messages.SchemaGroup:
		return schemaChunks(p, limit)
	}
	return []messages.Part{p}
}

// packer counts what a chunk takes: base of them are in each chunk.
type packer struct{ limit, base, used int }

// fits adds an element, and reports false if it belongs into the next chunk, in which it then is. The
// first element of a chunk always fits.
func (p *packer) fits(bytes int) bool {
	if p.used > p.base && p.used+bytes > p.limit {
		p.used = p.base + bytes
		return false
	}
	p.used += bytes
	return true
}

func sizeOf(m proto.Message) int { return proto.Size(m) + elementBytes }

func topologyChunks(t *messages.Topology, limit int) []messages.Part {
	next := func() *messages.Topology { return &messages.Topology{At: t.At} }
	var parts []messages.Part
	c, p := next(), packer{limit: limit, base: envelopeBytes, used: envelopeBytes}
	for _, n := range t.Nodes {
		if !p.fits(sizeOf(NodeFrame(n))) {
			parts, c = append(parts, c), next()
		}
		c.Nodes = append(c.Nodes, n)
	}
	for _, call := range t.Calls {
		if !p.fits(sizeOf(toCall(call))) {
			parts, c = append(parts, c), next()
		}
		c.Calls = append(c.Calls, call)
	}
	return append(parts, c)
}

func schemaChunks(g *messages.SchemaGroup, limit int) []messages.Part {
	next := func() *messages.SchemaGroup { return &messages.SchemaGroup{Group: g.Group, Error: g.Error} }
	base := envelopeBytes + sizeOf(&SchemaGroup{Group: cleanText(g.Group), Error: cleanText(g.Error)})
	var parts []messages.Part
	c, p := next(), packer{limit: limit, base: base, used: base}
	for _, o := range g.Objects {
		if !p.fits(sizeOf(&SchemaObject{Kind: cleanText(o.Kind), Name: cleanText(o.Name), Fingerprint: o.Fingerprint})) {
			parts, c = append(parts, c), next()
		}
		c.Objects = append(c.Objects, o)
	}
	return append(parts, c)
}

// cutText returns the first part of a valid text, of at most limit bytes but one character at least, and the
// rest.
func cutText(text string, limit int) (first, rest string) {
	if len(text) <= limit {
		return text, ""
	}
	at := max(limit, 1)
	for at > 0 && !utf8.RuneStart(text[at]) {
		at--
	}
	if at == 0 {
		_, at = utf8.DecodeRuneInString(text)
	}
	return strings.Clone(text[:at]), text[at:]
}
