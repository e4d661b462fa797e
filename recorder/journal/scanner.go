package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"fodc/recorder"
)

// scanner reads the records of a segment, one after the other.
type scanner struct {
	r io.ReaderAt
	// size is that of the file, or of the part of it that is read.
	size int64
	sum  uint32

	// buffer has the bytes of the file from bufferAt on, and room for valuePadding more. at is
	// the offset in the file of the next frame.
	buffer       []byte
	bufferAt, at int64
	// ahead is how much is read at once.
	ahead int

	info   SegmentInfo
	decode scrapeDecoder
	// skipValues is set by who needs no values.
	skipValues bool
	// events is set by who needs events. Others skip them.
	events bool
	// end is what next returns from now on, if not nil.
	end error
}

// record is a scrape, an event or a mark.
type record struct {
	// scrape is nil if the record is something else. It is valid until the next call of next.
	scrape *scrape
	// event is nil if the record is something else.
	event *recorder.Event
	mark  Mark
}

// headerAhead is how much is read at first: it has the header, and more is not read if the
// segment's information is found by its trailer. readAhead is how much is read at once later.
const (
	headerAhead = 4 << 10
	readAhead   = 64 << 10
)

// newScanner reads the header of a segment. The error is a *Damage if there is none, wraps
// ErrVersion if the segment is of an unknown version, and else is that of the file.
func newScanner(r io.ReaderAt, size int64) (*scanner, Header, error) {
	s := &scanner{r: r, size: size, ahead: headerAhead}
	const start = len(segmentMagic) + 1
	begin, err := s.peek(start)
	if err != nil {
		return nil, Header{}, err
	}
	if string(begin[:len(segmentMagic)]) != segmentMagic {
		return nil, Header{}, s.damage("it does not begin as a segment does")
	}
	if v := begin[len(segmentMagic)]; v != formatVersion {
		return nil, Header{}, fmt.Errorf("%w: %d, this program reads %d", ErrVersion, v, formatVersion)
	}
	s.sum = checksum(0, nil, begin)
	s.at += int64(start)
	payload, sum, err := s.frame()
	if err != nil {
		return nil, Header{}, err
	}
	h, ok := parseHeader(body{left: payload[1:]})
	if recordType(payload[0]) != typeHeader || !ok {
		return nil, Header{}, s.damage("the header cannot be read")
	}
	s.sum = sum
	s.at += frameHeaderBytes + int64(len(payload))
	s.info = SegmentInfo{Number: h.Number, Size: size, Node: h.Node, Created: h.Created}
	s.decode.created, s.ahead = h.Created, readAhead
	return s, h, nil
}

func (s *scanner) damage(format string, args ...any) *Damage {
	return &Damage{Offset: s.at, Reason: fmt.Sprintf(format, args...)}
}

// peek returns the next bytes of the file.
func (s *scanner) peek(n int) ([]byte, error) {
	if left := s.size - s.at; int64(n) > left {
		return nil, &Damage{Offset: s.at, Reason: fmt.Sprintf("%d of %d bytes are there", left, n), Torn: true}
	}
	from := s.at - s.bufferAt
	if have := int64(len(s.buffer)) - from; int64(n) > have {
		if err := s.fill(n); err != nil {
			return nil, err
		}
		from = 0
	}
	return s.buffer[from : from+int64(n)], nil
}

// fill reads at least the next n bytes into the buffer.
func (s *scanner) fill(n int) error {
	want := int(min(max(int64(n), int64(s.ahead)), s.size-s.at))
	if cap(s.buffer) < want+valuePadding {
		s.buffer = make([]byte, want, want+valuePadding)
	}
	s.buffer = s.buffer[:want]
	got, err := s.r.ReadAt(s.buffer, s.at)
	s.buffer, s.bufferAt = s.buffer[:got], s.at
	if got >= n {
		return nil
	}
	if errors.Is(err, io.EOF) || err == nil {
		return &Damage{Offset: s.at, Reason: fmt.Sprintf("%d of %d bytes are there", got, n), Torn: true}
	}
	s.buffer = s.buffer[:0]
	return fmt.Errorf("read of a segment at offset %d: %w", s.at, err)
}

// frame returns the payload of the next frame and its checksum. It does not advance.
func (s *scanner) frame() (payload []byte, sum uint32, err error) {
	head, err := s.peek(frameHeaderBytes)
	if err != nil {
		return nil, 0, err
	}
	length := binary.LittleEndian.Uint32(head)
	if length == 0 || length > maxFrameBytes {
		return nil, 0, s.damage("a frame of %d bytes", length)
	}
	frame, err := s.peek(frameHeaderBytes + int(length))
	if err != nil {
		return nil, 0, err
	}
	payload = frame[frameHeaderBytes:]
	sum = checksum(s.sum, frame[:lengthBytes], payload)
	if sum != binary.LittleEndian.Uint32(frame[lengthBytes:]) {
		return nil, 0, s.damage("a frame of %d bytes with a wrong checksum", length)
	}
	return payload, sum, nil
}

// next returns the next record. At the end of the segment the error is io.EOF, where reading
// ends before it a *Damage, and else that of the file. It is errSkipped at a scrape whose values are
// wanted after others of its target were not.
func (s *scanner) next() (record, error) {
	for s.end == nil {
		if s.at == s.size {
			s.end = io.EOF
			break
		}
		payload, _, err := s.frame()
		if err != nil {
			s.fail(err)
			break
		}
		var r record
		wanted, err := s.parse(&r, recordType(payload[0]), payload[1:])
		if err != nil {
			s.fail(err)
			break
		}
		s.at += frameHeaderBytes + int64(len(payload))
		if wanted {
			return r, nil
		}
	}
	return record{}, s.end
}

func (s *scanner) fail(err error) {
	s.end = err
	var d *Damage
	if errors.As(err, &d) {
		s.info.Damage = d
	}
}

// parse reads the body of a record. Wanted is false if next must not return it.
func (s *scanner) parse(r *record, t recordType, payload []byte) (wanted bool, err error) {
	switch t {
	case typeScrape:
		r.scrape, err = s.decode.scrape(payload, s.info.LastNumber, s.skipValues)
		switch {
		case errors.Is(err, errSkipped):
			return false, err
		case err != nil:
			return false, s.damage("%v", err)
		}
		c := r.scrape
		s.info.addScrape(c.target.index, c.target.name, len(c.target.keys), c.number, c.at, len(c.members))
		return true, nil
	case typeMark:
		b := body{left: payload}
		r.mark = Mark{MarkKind(b.byte()), b.varint()}
		if b.bad {
			return false, s.damage("a mark that cannot be read")
		}
		s.info.addMark(r.mark)
		return true, nil
	case typeEvent:
		if !s.events {
			return false, nil
		}
		event, ok := parseEvent(body{left: payload})
		if !ok {
			return false, s.damage("an event that cannot be read")
		}
		r.event = &event
		return true, nil
	case typeIndex:
		indexed, ok := parseIndex(body{left: payload})
		if !ok {
			return false, s.damage("an index that cannot be read")
		}
		s.info.Closed = indexed.Closed
	case typeTrailer: // Nothing that is behind it belongs to the segment.
		s.end = io.EOF
	case typeHeader:
		return false, s.damage("a second header")
	}
	return false, nil
}
