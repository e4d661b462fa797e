package exposition

import "fodc/messages"

// maxStartsBytes bounds the texts of a shape that are kept for the next node; that of one
// series may go beyond.
const maxStartsBytes = 128 << 10

// starts is what the lines of a shape begin with, up to the identity: the same for all
// nodes that have the shape.
type starts struct {
	shape *messages.Descriptor
	state startsState
	text  []byte
	ends  []int
}

type startsState uint8

const (
	startsUnmade startsState = iota
	startsMade
	startsTooLong
)

// of returns the start of the line of a series.
func (s *starts) of(series int) []byte {
	from := 0
	if series > 0 {
		from = s.ends[series-1]
	}
	return s.text[from:s.ends[series]]
}

// startsOf returns the starts of the shape, which is of the group. It returns nil where
// there are none: as the shape has come for the first time, which may be the last, or is too
// long.
func (t *textWriter) startsOf(g *group, shape *messages.Descriptor) *starts {
	s := &t.starts
	if s.shape != shape {
		s.shape, s.state = shape, startsUnmade
		return nil
	}
	if s.state == startsUnmade && g == t.group { // else its names are not there yet
		s.make(&t.names)
	}
	if s.state != startsMade {
		return nil
	}
	return s
}

func (s *starts) make(names *[messages.SuffixCount + 1][]byte) {
	s.state, s.text, s.ends = startsMade, s.text[:0], s.ends[:0]
	for i := range s.shape.Series {
		of := &s.shape.Series[i]
		s.text = append(append(s.text, names[of.Suffix]...), of.Labels...)
		if len(s.text) > maxStartsBytes {
			s.state = startsTooLong
			return
		}
		s.ends = append(s.ends, len(s.text))
	}
}
