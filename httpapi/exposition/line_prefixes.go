package exposition

import "fodc/messages"

// maxPrefixBytes bounds the cached prefixes of a descriptor. The last one may exceed it.
const maxPrefixBytes = 128 << 10

// linePrefixes caches the beginnings of the lines of a descriptor's series, up to the identity.
// They are the same for all nodes with that descriptor.
type linePrefixes struct {
	descriptor *messages.Descriptor
	state      prefixState
	text       []byte
	ends       []int
}

type prefixState uint8

const (
	prefixesUnset prefixState = iota
	prefixesReady
	prefixesTooLong
)

// of returns the beginning of the line of a series.
func (s *linePrefixes) of(series int) []byte {
	from := 0
	if series > 0 {
		from = s.ends[series-1]
	}
	return s.text[from:s.ends[series]]
}

// prefixesOf returns the prefixes of the descriptor, whose family is the group. It returns nil
// if there are none: for a descriptor that comes for the first time, which may be the last
// time, and for one over maxPrefixBytes.
func (t *textWriter) prefixesOf(g *group, descriptor *messages.Descriptor) *linePrefixes {
	s := &t.prefixes
	if s.descriptor != descriptor {
		s.descriptor, s.state = descriptor, prefixesUnset
		return nil
	}
	if s.state == prefixesUnset && g == t.group { // otherwise t.names does not have the names yet
		s.make(&t.names)
	}
	if s.state != prefixesReady {
		return nil
	}
	return s
}

func (s *linePrefixes) make(names *[messages.SuffixCount + 1][]byte) {
	s.state, s.text, s.ends = prefixesReady, s.text[:0], s.ends[:0]
	for i := range s.descriptor.Series {
		of := &s.descriptor.Series[i]
		s.text = append(append(s.text, names[of.Suffix]...), of.Labels...)
		if len(s.text) > maxPrefixBytes {
			s.state = prefixesTooLong
			return
		}
		s.ends = append(s.ends, len(s.text))
	}
}
