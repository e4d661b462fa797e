package journal

import (
	"encoding/binary"
	"io"
)

// A closed segment ends with two frames: the index, which has the segment's information, and
// the trailer, which is of fixed size and says where the index is.
const trailerBytes = frameHeaderBytes + 1 + 8

// appendIndex appends index and trailer of the segment. Offset is how long the segment is
// without them, closed the time in unix milliseconds.
func (e *encoder) appendIndex(dst []byte, offset, closed int64) []byte {
	e.info.Closed = closed
	start := len(dst)
	dst = beginFrame(dst, typeIndex)
	dst = appendInfo(dst, &e.info)
	if _, err := endFrame(dst, start, e.sum); err != nil {
		return dst[:start] // Readers find out by themselves what an index says.
	}
	start = len(dst)
	dst = beginFrame(dst, typeTrailer)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(offset))
	_, _ = endFrame(dst, start, e.sum)
	return dst
}

func appendInfo(dst []byte, i *SegmentInfo) []byte {
	dst = binary.AppendVarint(dst, i.Closed)
	dst = appendExtent(dst, i.FirstNumber, i.LastNumber, i.MinTime, i.MaxTime)
	dst = binary.AppendUvarint(dst, uint64(len(i.Targets)))
	for t := range i.Targets {
		t := &i.Targets[t]
		dst = appendText(dst, t.Name)
		dst = binary.AppendUvarint(dst, uint64(t.Series))
		dst = binary.AppendUvarint(dst, uint64(t.Scrapes))
		dst = binary.AppendUvarint(dst, uint64(t.Samples))
		dst = appendExtent(dst, t.FirstNumber, t.LastNumber, t.MinTime, t.MaxTime)
	}
	dst = binary.AppendUvarint(dst, uint64(len(i.Marks)))
	for _, m := range i.Marks {
		dst = binary.AppendVarint(append(dst, byte(m.Kind)), m.At)
	}
	return dst
}

func appendExtent(dst []byte, firstNumber, lastNumber, minTime, maxTime int64) []byte {
	dst = binary.AppendUvarint(dst, uint64(firstNumber))
	dst = binary.AppendUvarint(dst, uint64(lastNumber-firstNumber))
	dst = binary.AppendVarint(dst, minTime)
	return binary.AppendUvarint(dst, uint64(maxTime-minTime))
}

// parseIndex reads what appendInfo wrote. A later program may add fields at its end.
func parseIndex(b body) (i SegmentInfo, ok bool) {
	i.Closed = b.varint()
	b.extent(&i.FirstNumber, &i.LastNumber, &i.MinTime, &i.MaxTime)
	const bytesOfTarget, bytesOfMark = 8, 2
	for range b.count(maxTargets, bytesOfTarget) {
		t := TargetInfo{Name: b.text(maxTargetNameBytes)}
		t.Series = b.number(maxSeries)
		t.Scrapes = int(int32(b.uvarint()))
		t.Samples = int64(b.uvarint())
		b.extent(&t.FirstNumber, &t.LastNumber, &t.MinTime, &t.MaxTime)
		i.Targets = append(i.Targets, t)
	}
	for range b.count(maxMarks, bytesOfMark) {
		i.Marks = append(i.Marks, Mark{MarkKind(b.byte()), b.varint()})
	}
	return i, !b.bad
}

func (b *body) extent(firstNumber, lastNumber, minTime, maxTime *int64) {
	*firstNumber = int64(b.uvarint())
	*lastNumber = *firstNumber + int64(b.uvarint())
	*minTime = b.varint()
	*maxTime = *minTime + int64(b.uvarint())
}

// readInfo returns the information of a segment: by its trailer if it has one, else, and if
// anything is wrong with it, by a scan of all its records. The error is nil if the segment is
// damaged behind its header: then SegmentInfo.Damage says so. It is as that of newScanner
// otherwise.
func readInfo(r io.ReaderAt, size int64) (SegmentInfo, error) {
	s, _, err := newScanner(r, size)
	if err != nil {
		return SegmentInfo{}, err
	}
	if info, ok := s.infoByTrailer(); ok {
		return info, nil
	}
	return s.scanInfo()
}

// scanInfo reads all records that are left.
func (s *scanner) scanInfo() (SegmentInfo, error) {
	s.skipValues = true
	for {
		_, err := s.next()
		if err == nil {
			continue
		}
		if err != io.EOF && s.info.Damage == nil {
			return SegmentInfo{}, err
		}
		return s.info.clone(), nil
	}
}

// infoByTrailer returns the information that the index has.
func (s *scanner) infoByTrailer() (info SegmentInfo, ok bool) {
	end := scanner{r: s.r, size: s.size, sum: s.sum, at: s.size - trailerBytes, ahead: trailerBytes}
	if end.at < s.at {
		return info, false
	}
	trailer, _, err := end.frame()
	if err != nil || recordType(trailer[0]) != typeTrailer || len(trailer) != trailerBytes-frameHeaderBytes {
		return info, false
	}
	offset := int64(binary.LittleEndian.Uint64(trailer[1:]))
	if offset < s.at || offset > end.at {
		return info, false
	}
	index := scanner{r: s.r, size: end.at, sum: s.sum, at: offset, ahead: readAhead}
	payload, _, err := index.frame()
	if err != nil || recordType(payload[0]) != typeIndex || offset+frameHeaderBytes+int64(len(payload)) != end.at {
		return info, false
	}
	info, ok = parseIndex(body{left: payload[1:]})
	info.Number, info.Size, info.Node, info.Created = s.info.Number, s.info.Size, s.info.Node, s.info.Created
	return info, ok
}
