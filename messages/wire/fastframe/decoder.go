package fastframe

import (
	"errors"
	"hash/maphash"
	"sync"
	"time"
	"unicode/utf8"

	"fodc/messages"
	"fodc/messages/wire"
)

// ErrBroken says that a frame is not a valid message, or that one of its texts is not UTF-8.
var ErrBroken = errors.New("the frame is broken")

// Tags of the fields of a StreamMetricsRequest.
const (
	tagMetrics        = 1<<typeBits | typeBytes
	tagFrameTimestamp = 2<<typeBits | typeBytes
	tagRequestID      = 100<<typeBits | typeVarint
	tagBlocks         = 101<<typeBits | typeBytes
	tagMoreFollows    = 102<<typeBits | typeVarint
	tagError          = 103<<typeBits | typeBytes
	tagDictionary     = 104<<typeBits | typeVarint
	tagChunk          = 105<<typeBits | typeVarint
	tagBegins         = 106<<typeBits | typeVarint
	tagPartial        = 107<<typeBits | typeBytes
)

// Frame is a frame of which everything but the samples has been read.
type Frame struct {
	// RequestID is the request that is answered, 0 for the oldest one.
	RequestID uint64
	// More says that another frame of this answer follows.
	More bool
	// Error says why there is no answer, or no more of it.
	Error string
	// Partial says why the answer has less than what was asked for.
	Partial messages.PartialReason
	// Dictionary is the number of the dictionary that the families refer to, 0 for none. A
	// frame with a dictionary must be read by Answer even if nobody wants the answer:
	// otherwise the dictionary is lost.
	Dictionary uint64

	chunk  uint64 // the frame's number among those with a dictionary
	begins bool   // whether the dictionary begins with this frame
	bytes  []byte
	at     timestamp
	// number counts the frames that were opened. prefetched is how many bytes were prefetched.
	number     uint64
	prefetched int
	// metrics and blocks are how many there are.
	metrics, blocks int
}

// Open reads the frame's head. Fields of it may follow the last sample, so Open walks over all
// samples. The frame refers to the bytes, and is for Answer of this decoder. The error is
// ErrBroken.
func (d *Decoder) Open(b []byte) (Frame, error) {
	d.opened++
	f := Frame{bytes: b, number: d.opened, prefetched: d.prefetchSamples(b)}
	f.metrics = len(d.prefetch.values)
	ok := each(b[f.prefetched:], func(one field) bool {
		switch one.tag {
		case tagMetrics:
			f.metrics++
		case tagBlocks:
			f.blocks++
		case tagFrameTimestamp:
			return f.at.read(one.bytes)
		case tagRequestID:
			f.RequestID = one.bits
		case tagMoreFollows:
			f.More = one.bits != 0
		case tagError:
			f.Error = string(one.bytes)
			return utf8.Valid(one.bytes)
		case tagPartial:
			f.Partial = wire.CleanPartial(string(one.bytes))
			return utf8.Valid(one.bytes)
		case tagDictionary:
			f.Dictionary = one.bits
		case tagChunk:
			f.chunk = one.bits
		case tagBegins:
			f.begins = one.bits != 0
		}
		return true
	})
	if !ok {
		return Frame{}, ErrBroken
	}
	return f, nil
}

// time returns the time of the samples that say none, in unix milliseconds.
func (f *Frame) time(received time.Time) int64 {
	if stamp := f.at.frame(); f.at.there && stamp.IsValid() && !stamp.AsTime().IsZero() {
		return stamp.AsTime().UnixMilli()
	}
	return received.UnixMilli()
}

// Decoder reads the frames of one session, one at a time.
type Decoder struct {
	cache       *seriesCache
	texts       textCache
	definitions definitionTable
	// target is that of the last block that has one.
	target string
	// first is the first series of the last frame.
	first *series
	// frameNumber counts the frames. used is how many cached series the frame has.
	frameNumber uint64
	used        int
	// columnValues is how many values the last frame had in columns, vectorSamples how many
	// samples the last instant vector had: estimates for the next frame.
	columnValues, vectorSamples int
	// opened is the number of the frame that was opened last, prefetch what was read of it.
	opened   uint64
	prefetch prefetch
}

// New returns a decoder with empty caches.
func New() *Decoder { return &Decoder{} }

// Answer reads the frame. It returns what wire.FromAnswer returns. The error is ErrBroken if
// the frame is not a message, ErrRepeated, or ErrLost. The answer does not refer to the
// frame's bytes. received is the time of baseline samples if neither they nor the frame say
// one.
func (d *Decoder) Answer(f Frame, received time.Time) (wire.Answer, error) {
	if d.definitions.hasRead(f) {
		return wire.Answer{}, ErrRepeated
	}
	d.begin()
	r := readers.Get().(*reader)
	defer r.release()
	r.Decoder, r.at, r.dictionary = d, f.time(received), f.Dictionary
	rest := r.beginVector(f)
	r.valueBuffer.expected = min(d.columnValues, len(f.bytes)/bytesOfValue)
	r.lost = !d.definitions.advance(f)
	switch {
	case !r.read(rest):
		return wire.Answer{}, ErrBroken
	case r.lost:
		return wire.Answer{}, ErrLost
	}
	if d.columnValues = r.valueBuffer.allocated; f.Dictionary != 0 && !f.More {
		d.definitions.answers++
		d.definitions.templates.endAnswer()
	}
	// Like wire.FromAnswer, report the first fault of the blocks before that of the samples.
	blocks := append(r.blocks, r.samples()...)
	rejected := r.rejectedBlocks
	rejected.Add(r.rejected.Count, r.rejected.First)
	return wire.Answer{
		RequestID:     f.RequestID,
		Blocks:        blocks,
		More:          f.More && f.Error == "",
		Error:         wire.Clean(f.Error, messages.MaxTextBytes),
		Partial:       f.Partial,
		Rejected:      rejected.Count,
		FirstRejected: rejected.First,
		Sanitized:     rejected.Sanitized + r.rejected.Sanitized,
	}, nil
}

// begin begins a frame. A cache that is full, mostly with series that the frame before did not
// have, is emptied.
func (d *Decoder) begin() {
	if d.cache == nil || d.cache.bytes >= maxCacheBytes && 2*d.used < d.cache.count {
		d.cache, d.first = newSeriesCache(maphash.MakeSeed()), nil
	}
	d.texts.begin()
	d.frameNumber++
	d.used = 0
}

// reader reads one frame. Readers are reused for any session, with what they have allocated.
type reader struct {
	*Decoder
	// overflow has the series of the frame that did not fit into the cache, nil if all did.
	overflow *seriesCache
	at       int64 // unix milliseconds
	// last is the series of the sample before. repeated says that the one before that was of
	// the same series.
	last     *series
	repeated bool

	vector      vector
	table       wire.Table
	metric      metric
	labels      []messages.Label
	columns     columns
	families    blockFamilies // of the block in progress
	blocks      []messages.Block
	valueBuffer valueBuffer
	// dictionary is the frame's. lost says that the decoder does not have it.
	dictionary uint64
	lost       bool
	// rejected counts what was rejected of baseline samples, rejectedBlocks of blocks.
	rejected, rejectedBlocks wire.Rejections
	// sanitized has the label texts of this frame whose names were made valid.
	sanitized map[messages.LabelText]struct{}
}

var readers = sync.Pool{New: func() any { return &reader{} }}

// maxScratchSamples bounds the scratch space that a reader keeps, in elements of a slice.
const maxScratchSamples = 64 << 10

// isLarge reports whether the reader's scratch space is too large to be kept.
func (r *reader) isLarge() bool {
	c := &r.columns
	return max(cap(r.table.Families), cap(r.table.Series), cap(r.table.Samples), cap(r.vector.series), cap(r.vector.families),
		cap(r.metric.labels), cap(r.labels), cap(r.families.slots),
		cap(c.deltas), cap(c.families), cap(c.texts), cap(c.suffixes)) > maxScratchSamples
}

func (r *reader) release() {
	if r.isLarge() {
		return
	}
	clear(r.table.Families)
	clear(r.table.Series)
	clear(r.labels[:cap(r.labels)])
	clear(r.metric.labels[:cap(r.metric.labels)])
	*r = reader{
		vector:   r.vector.released(),
		table:    wire.Table{Families: r.table.Families[:0], Series: r.table.Series[:0], Samples: r.table.Samples[:0]},
		metric:   metric{labels: r.metric.labels[:0]},
		labels:   r.labels[:0],
		columns:  r.columns.released(),
		families: blockFamilies{slots: r.families.slots[:0]},
	}
	readers.Put(r)
}

// read reads the samples and blocks of the rest of a frame.
func (r *reader) read(rest []byte) (ok bool) {
	return each(rest, func(one field) bool {
		switch one.tag {
		case tagMetrics:
			return r.sample(one.bytes)
		case tagBlocks:
			return r.block(one.bytes)
		}
		return true
	})
}
