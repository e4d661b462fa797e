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

// ErrBroken says that a frame is not a message, as its bytes do not follow the rules
// of the encoding, or one of its texts is not UTF-8.
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
)

// Frame is a frame of which what stands beside the samples has been read.
type Frame struct {
	// RequestID says which request is answered; 0 = the oldest one.
	RequestID uint64
	// More says that another frame of this answer follows.
	More bool
	// Error says why there is no answer, or no more of it.
	Error string
	// Dictionary is that of the frame's families, 0 if there is none: a frame that has one
	// must be read, whether anybody wants its answer or not, or the dictionary is lost.
	Dictionary uint64

	chunk  uint64 // the frame's number among those with a dictionary
	begins bool   // the dictionary does, with this frame
	bytes  []byte
	at     timestamp
	// number is which of the opened frames it is, ahead how many of its bytes were read ahead.
	number uint64
	ahead  int
	// metrics and blocks are how many there are.
	metrics, blocks int
}

// Open reads the frame's head, of which there may be a word behind the last sample: what
// repeats the last row is read on the way. The frame keeps the bytes, and is for Answer of
// this decoder. The error is ErrBroken.
func (d *Decoder) Open(b []byte) (Frame, error) {
	d.opened++
	f := Frame{bytes: b, number: d.opened, ahead: d.readAhead(b)}
	f.metrics = len(d.ahead.values)
	ok := each(b[f.ahead:], func(one field) bool {
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

// time is when samples were taken that do not say it, in unix milliseconds.
func (f *Frame) time(received time.Time) int64 {
	if stamp := f.at.frame(); f.at.there && stamp.IsValid() && !stamp.AsTime().IsZero() {
		return stamp.AsTime().UnixMilli()
	}
	return received.UnixMilli()
}

// Decoder reads the frames of one session, one at a time.
type Decoder struct {
	known *dictionary
	texts texts
	slots slots
	// first is the series with which the last frame began.
	first *series
	// frame is the number of the frame, used how many of the known series it has.
	frame uint64
	used  int
	// values is how many the last frame had in columns.
	values int
	// latest is how many samples the last frame had that was a row.
	latest int
	// opened is the number of the frame that was opened last, ahead what was read of it.
	opened uint64
	ahead  ahead
}

// New returns a decoder that knows nothing yet.
func New() *Decoder { return &Decoder{} }

// Answer reads the frame. It returns what wire.FromAnswer returns, and ErrBroken where
// there is no message to be had from it, or ErrRepeated, or ErrLost. Nothing of the answer
// is part of the frame's bytes. received stands in for the time of baseline samples in a
// frame that says none.
func (d *Decoder) Answer(f Frame, received time.Time) (wire.Answer, error) {
	if d.slots.has(f) {
		return wire.Answer{}, ErrRepeated
	}
	d.begin()
	r := readers.Get().(*reader)
	defer r.release()
	r.Decoder, r.at, r.dictionary = d, f.time(received), f.Dictionary
	rest := r.beginRow(f)
	r.room.expected = min(d.values, len(f.bytes)/bytesOfValue)
	r.lost = !d.slots.follow(f)
	switch {
	case !r.read(rest):
		return wire.Answer{}, ErrBroken
	case r.lost:
		return wire.Answer{}, ErrLost
	}
	if d.values = r.room.taken; f.Dictionary != 0 && !f.More {
		d.slots.answers++
		d.slots.lists.end()
	}
	// What is wrong with blocks is told before what is wrong with samples.
	blocks := append(r.made, r.samples()...)
	rejected := r.rejectedBlocks
	rejected.Add(r.rejected.Count, r.rejected.First)
	return wire.Answer{
		RequestID:     f.RequestID,
		Blocks:        blocks,
		More:          f.More && f.Error == "",
		Error:         wire.Clean(f.Error, messages.MaxTextBytes),
		Rejected:      rejected.Count,
		FirstRejected: rejected.First,
		Mended:        rejected.Mended + r.rejected.Mended,
	}, nil
}

// begin makes room for a frame: a dictionary that is full of what the agent does not
// send any more begins anew.
func (d *Decoder) begin() {
	if d.known == nil || d.known.bytes >= maxKnownBytes && 2*d.used < d.known.count {
		d.known, d.first = newDictionary(maphash.MakeSeed()), nil
	}
	d.texts.begin()
	d.frame++
	d.used = 0
}

// reader reads one frame. What it allocates is used again for others, of any session.
type reader struct {
	*Decoder
	// spare is what did not fit into known; nil if all did.
	spare *dictionary
	at    int64 // unix milliseconds
	// last is the series of the sample before, again says that it was that of the one
	// before it too.
	last  *series
	again bool

	row     row
	table   wire.Table
	metric  metric
	labels  []messages.Label
	columns columns
	// families are those of the block in progress.
	families blockFamilies
	made     []messages.Block
	room     room
	// dictionary is the frame's; lost says that we do not have it.
	dictionary uint64
	lost       bool
	rejected   wire.Rejections
	// rejectedBlocks is what was rejected of blocks.
	rejectedBlocks wire.Rejections
	// mended is the label texts of this frame with names that were made valid.
	mended map[messages.LabelText]struct{}
}

var readers = sync.Pool{New: func() any { return &reader{} }}

// maxKeptSamples bounds the scratch space that is used again.
const maxKeptSamples = 64 << 10

// isLarge reports whether the scratch space is too large to be used again.
func (r *reader) isLarge() bool {
	c := &r.columns
	return max(cap(r.table.Families), cap(r.table.Series), cap(r.table.Samples), cap(r.row.series), cap(r.row.runs),
		cap(r.metric.labels), cap(r.labels), cap(r.families.slots),
		cap(c.deltas), cap(c.families), cap(c.texts), cap(c.suffixes)) > maxKeptSamples
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
		row:      r.row.released(),
		table:    wire.Table{Families: r.table.Families[:0], Series: r.table.Series[:0], Samples: r.table.Samples[:0]},
		metric:   metric{labels: r.metric.labels[:0]},
		labels:   r.labels[:0],
		columns:  r.columns.released(),
		families: blockFamilies{slots: r.families.slots[:0]},
	}
	readers.Put(r)
}

// read reads what samples and blocks there are in the rest of a frame.
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
