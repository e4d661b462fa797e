package journal

import (
	"encoding/binary"
	"errors"
	"fmt"

	"fodc/recorder"
	"fodc/recorder/codec"
)

// encoder makes the frames of one segment. Whatever it appends must be written to the segment,
// all of it and in this order: later frames build on it.
type encoder struct {
	header Header
	// sum is the checksum of the header, from which those of the other frames go on.
	sum uint32
	// info is what the segment has so far, without its file's name and size.
	info    SegmentInfo
	targets map[string]*encodedTarget
	totals
	bits codec.BitWriter
}

// totals counts what a segment has defined, for the limits.
type totals struct{ series, families, text int }

func (t *totals) fit() bool {
	return t.series <= maxSeries && t.families <= maxFamilies && t.text <= maxTextBytes
}

// Errors of appendScrape. errSegmentFull: the scrape does not fit the segment any more, but may
// fit a new one. Nothing was appended, and the encoder can go on.
var errSegmentFull = errors.New("the segment cannot define more series")

func newEncoder(h Header) *encoder {
	return &encoder{
		header:  h,
		info:    SegmentInfo{Number: h.Number, Created: h.Created, Node: h.Node},
		targets: make(map[string]*encodedTarget),
	}
}

// appendHeader appends the begin of the segment. It is called first, and once.
func (e *encoder) appendHeader(dst []byte) ([]byte, error) {
	dst, sum, err := appendHeader(dst, e.header)
	e.sum = sum
	return dst, err
}

// Flags of a scrape say which optional fields it has.
const (
	flagFailure     = 1 << 0 // the scrape failed
	flagFailureText = 1 << 1 // for another reason than the last failed scrape of the target
	flagFamilies    = 1 << 2 // families are defined, or defined anew
	flagSeries      = 1 << 3 // series are defined
	flagRemoved     = 1 << 4 // series of the scrape before have no sample
	flagAdded       = 1 << 5 // series that were defined before, but had no sample in the scrape before, have one
	knownFlags      = 1<<6 - 1
)

// appendScrape appends a scrape under a number that must be above those of all scrapes before.
// After an error dst is unchanged, and the encoder can go on.
func (e *encoder) appendScrape(dst []byte, b *recorder.Batch, number int64) ([]byte, error) {
	if number <= e.info.LastNumber {
		return dst, fmt.Errorf("scrape number %d does not ascend: the last one is %d", number, e.info.LastNumber)
	}
	t, change, err := e.prepare(b)
	if err != nil {
		return dst, err
	}
	start := len(dst)
	dst = beginFrame(dst, typeScrape)
	dst = binary.AppendUvarint(dst, uint64(number-e.info.LastNumber))
	if t.index == len(e.targets) {
		e.targets[b.Target] = t
		dst = appendText(append(dst, 0), b.Target)
	} else {
		dst = binary.AppendUvarint(dst, uint64(t.index)+1)
	}
	dst = t.appendTime(dst, b.At)
	failure := b.Failure[:min(len(b.Failure), maxFailureBytes)]
	dst = append(dst, t.flags(failure, change))
	if failure != "" && failure != t.failure {
		t.failure = failure
		dst = appendText(dst, failure)
	}
	if change != nil {
		dst = t.appendChange(dst, change)
		e.series, e.families, e.text = e.series+change.series, e.families+len(change.families), e.text+change.text
	}
	e.bits.Buf = dst
	t.values.encode(&e.bits, t.members, t.order, b.Values)
	e.bits.PadByte()
	dst, e.bits.Buf = e.bits.Buf, nil
	if _, err := endFrame(dst, start, e.sum); err != nil {
		return dst[:start], err // prepare has ruled it out.
	}
	e.info.addScrape(t.index, b.Target, t.series(), number, b.At, len(b.Values))
	return dst, nil
}

// prepare finds the target of the batch, and what it must define before the values of the batch
// can be encoded: nil if nothing. It changes nothing that cannot be undone.
func (e *encoder) prepare(b *recorder.Batch) (t *encodedTarget, change *membership, err error) {
	t = e.targets[b.Target]
	if t == nil {
		if len(e.targets) == maxTargets {
			return nil, nil, errSegmentFull
		}
		if len(b.Target) > maxTargetNameBytes {
			return nil, nil, fmt.Errorf("target name of %d bytes, a segment's may have %d", len(b.Target), maxTargetNameBytes)
		}
		t = newEncodedTarget(len(e.targets), e.header.Created)
	}
	if len(b.Series.Keys) != len(b.Values) || len(b.Series.Keys) != len(b.Series.FamilyOf) {
		return nil, nil, errors.New("a batch whose series and values differ in number")
	}
	text := 0
	if b.Series != t.list {
		if change, err = t.membershipOf(b.Series); err != nil {
			return nil, nil, err
		}
		after := totals{e.series + change.series, e.families + len(change.families), e.text + change.text}
		if !after.fit() {
			t.undo(change)
			return nil, nil, errSegmentFull
		}
		text = change.text
	}
	if text+len(b.Values)*maxSampleBytes+maxTargetNameBytes+maxFailureBytes > maxFrameBytes {
		t.undo(change)
		return nil, nil, errFrameTooLarge
	}
	return t, change, nil
}

// staleSeries is how many series without samples a segment may have, whatever the number of the
// others. Each takes about 250 bytes of memory.
const staleSeries = 1 << 14

// isStale reports whether most of the series that the segment defines have come and gone. In a new
// segment they take no memory.
func (e *encoder) isStale() bool {
	current := 0
	for _, t := range e.targets {
		current += t.mostMembers
	}
	return e.series-current > max(current, staleSeries)
}

// appendMark appends a mark.
func (e *encoder) appendMark(dst []byte, m Mark) []byte {
	start := len(dst)
	dst = append(beginFrame(dst, typeMark), byte(m.Kind))
	dst = binary.AppendVarint(dst, m.At)
	_, _ = endFrame(dst, start, e.sum) // A mark is small.
	e.info.addMark(m)
	return dst
}
