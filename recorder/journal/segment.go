package journal

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"

	"fodc/recorder"
)

// onlySegment is the number of a segment that is a file by itself.
const onlySegment = 1

// WriteSegment writes scrapes as one closed segment, so that they are a file by themselves: see
// OpenSegment. They are numbered from 1. An error among the scrapes ends it, and is returned. Created is
// in unix milliseconds, and the time from which on the segment says that it was closed, too.
//
// It keeps what describes the series, and no samples.
func WriteSegment(w io.Writer, node Node, created int64, scrapes iter.Seq2[*recorder.Batch, error]) (SegmentInfo, error) {
	e := newEncoder(Header{Number: onlySegment, Created: created, Node: node})
	out := bufio.NewWriterSize(w, writeAhead)
	size := int64(0)
	write := func(frame []byte) error {
		size += int64(len(frame))
		_, err := out.Write(frame)
		return err
	}
	buffer, err := e.appendHeader(nil)
	if err == nil {
		err = write(buffer)
	}
	if err != nil {
		return SegmentInfo{}, err
	}
	number := int64(0)
	for b, err := range scrapes {
		if err != nil {
			return SegmentInfo{}, err
		}
		number++
		if buffer, err = e.appendScrape(buffer[:0], b, number); err != nil {
			return SegmentInfo{}, fmt.Errorf("scrape %d, of target %.100q: %w", number, b.Target, err)
		}
		if err := write(buffer); err != nil {
			return SegmentInfo{}, err
		}
	}
	if err := write(e.appendIndex(buffer[:0], size, max(created, 1))); err != nil {
		return SegmentInfo{}, err
	}
	info := e.info.clone()
	info.Name, info.Size = segmentName(onlySegment), size
	return info, out.Flush()
}

// writeAhead is how much of a segment is written at once, in bytes.
const writeAhead = 64 << 10

// OpenSegment returns the view of a segment that is a file by itself, and the directory in which its
// readers find it. It reads nothing but the segment's begin and index, if that is whole. Whoever has opened
// the file closes it after the readers. The error is one of View.Unreadable.
func OpenSegment(r io.ReaderAt, size int64) (*View, FS, error) {
	info, err := readInfo(r, size)
	if err != nil {
		return nil, nil, err
	}
	info.Name = segmentName(info.Number)
	return &View{Segments: []SegmentInfo{info}}, segmentDir{r, info.Name, size}, nil
}

// segmentDir is a directory with one segment, which is only read.
type segmentDir struct {
	io.ReaderAt
	name string
	size int64
}

var errOnlyRead = errors.New("the segment is only read")

func (d segmentDir) List() ([]FileInfo, error)      { return []FileInfo{{d.name, d.size}}, nil }
func (d segmentDir) Create(string) (File, error)    { return nil, errOnlyRead }
func (d segmentDir) Remove(string) error            { return errOnlyRead }
func (d segmentDir) SyncDir() error                 { return errOnlyRead }
func (d segmentDir) Space() (uint64, uint64, error) { return 0, 0, errOnlyRead }

func (d segmentDir) Open(name string) (ReadFile, error) {
	if name != d.name {
		return nil, fmt.Errorf("open %s: %w", name, fs.ErrNotExist)
	}
	return openSegment{d}, nil
}

// openSegment is the file of a segmentDir. It belongs to whoever has opened that.
type openSegment struct{ segmentDir }

func (f openSegment) Size() (int64, error) { return f.size, nil }
func (f openSegment) Close() error         { return nil }
