package journal

import (
	"bytes"
	"errors"
	"io"
	"math/rand"
	"testing"

	"github.com/stretchr/testify/require"

	"fodc/recorder"
)

// smallSegment returns a closed segment of a few scrapes and a mark, where its frames end, and
// what it has.
func smallSegment(t testing.TB) (segment []byte, ends []int, batches []*recorder.Batch) {
	batches = randomBatches(rand.New(rand.NewSource(3)), 5)
	segment, ends, e := encoded(t, batches)
	segment = e.appendMark(segment, Mark{MarkAgentStopped, created + 5})
	ends = append(ends, len(segment))
	segment = e.appendIndex(segment, int64(len(segment)), created+9)
	return segment, append(ends, len(segment)-trailerBytes, len(segment)), batches
}

// requirePrefix checks that a segment that was changed behind its first so many bytes gives the
// records before them, and no other.
func requirePrefix(t testing.TB, segment []byte, intact int, ends []int, want []*recorder.Batch) {
	t.Helper()
	whole := 0 // frames, the header is one
	for whole < len(ends) && ends[whole] <= intact {
		whole++
	}
	got, marks, s, err := scanAll(t, segment)
	if whole == 0 {
		require.Nil(t, s)
		require.Error(t, err)
		_, infoErr := readInfo(bytes.NewReader(segment), int64(len(segment)))
		require.Equal(t, err, infoErr)
		return
	}
	scrapes := min(whole-1, len(want))
	requireSameBatches(t, want[:scrapes], got)
	require.Equal(t, whole-1 > len(want), len(marks) == 1)
	if len(segment) == ends[whole-1] || whole == len(ends) {
		require.Equal(t, io.EOF, err)
		return
	}
	var d *Damage
	require.ErrorAs(t, err, &d)
	require.Equal(t, int64(ends[whole-1]), d.Offset)
	info, err := readInfo(bytes.NewReader(segment), int64(len(segment)))
	require.NoError(t, err)
	require.Equal(t, scrapes, info.Scrapes())
	require.Equal(t, d, info.Damage)
}

// However a segment is cut off, all whole records are read.
func TestTruncated(t *testing.T) {
	segment, ends, want := smallSegment(t)
	for size := range len(segment) + 1 {
		requirePrefix(t, segment[:size], size, ends, want)
		if _, _, s, err := scanAll(t, segment[:size]); s != nil && err != io.EOF {
			require.True(t, s.info.Damage.Torn)
		}
	}
}

// Whichever bit of a segment is flipped: nothing wrong is read, and nothing before it is lost.
func TestFlippedBits(t *testing.T) {
	segment, ends, want := smallSegment(t)
	for bit := range 8 * len(segment) {
		segment[bit/8] ^= 1 << (bit % 8)
		got, _, s, err := scanAll(t, segment)
		if bit/8 < ends[0] {
			require.Error(t, err)
			require.Nil(t, s)
		} else if bit/8 < len(segment)-trailerBytes {
			frame := 0
			for ends[frame] <= bit/8 {
				frame++
			}
			var d *Damage
			require.ErrorAs(t, err, &d)
			require.Equal(t, int64(ends[frame-1]), d.Offset)
			requireSameBatches(t, want[:min(frame-1, len(want))], got)
		}
		info, err := readInfo(bytes.NewReader(segment), int64(len(segment)))
		if err == nil && info.Damage == nil {
			require.Equal(t, len(want), info.Scrapes(), "the index is read in spite of damage before it")
		}
		segment[bit/8] ^= 1 << (bit % 8)
	}
	requirePrefix(t, segment, len(segment), ends, want)
}

// What is behind the end of a segment is ignored: zeros, or frames of another segment.
func TestStaleBytesBehindTheEnd(t *testing.T) {
	segment, ends, want := smallSegment(t)
	other, otherEnds, _ := encoded(t, randomBatches(rand.New(rand.NewSource(4)), 8))
	e := newEncoder(Header{Number: testHeader.Number + 1, Created: created, Node: testHeader.Node})
	stale, err := e.appendHeader(nil)
	require.NoError(t, err)
	start := len(stale)
	stale, err = e.appendScrape(stale, want[0], want[0].Number)
	require.NoError(t, err)
	require.NotEmpty(t, otherEnds)
	for _, behind := range [][]byte{make([]byte, 4096), stale[start:], stale, other, {0}, bytes.Repeat([]byte{0xff}, 100)} {
		for _, end := range ends[:len(ends)-2] {
			requirePrefix(t, append(bytes.Clone(segment[:end]), behind...), end, ends, want)
		}
		whole := append(bytes.Clone(segment), behind...)
		got, _, _, err := scanAll(t, whole)
		require.Equal(t, io.EOF, err)
		requireSameBatches(t, want, got)
		info, err := readInfo(bytes.NewReader(whole), int64(len(whole)))
		require.NoError(t, err)
		require.Equal(t, len(want), info.Scrapes())
	}
}

// An error of the disk is no damage.
func TestReadError(t *testing.T) {
	segment, ends, _ := smallSegment(t)
	for _, failFrom := range []int{0, ends[0], len(segment) - trailerBytes} {
		_, err := readInfo(failingReader{segment, int64(failFrom)}, int64(len(segment)))
		require.ErrorIs(t, err, errDisk)
	}
	s, _, err := newScanner(bytes.NewReader(segment), int64(len(segment)))
	require.NoError(t, err)
	s.r, s.ahead, s.buffer = failingReader{segment, int64(ends[2])}, 1, nil
	_, err = s.next()
	require.NoError(t, err)
	_, err = s.next()
	require.NoError(t, err)
	_, err = s.next()
	require.ErrorIs(t, err, errDisk)
	require.Nil(t, s.info.Damage)
}

var errDisk = errors.New("input/output error")

// failingReader fails reads that reach behind an offset.
type failingReader struct {
	data []byte
	from int64
}

func (r failingReader) ReadAt(p []byte, at int64) (int, error) {
	if at+int64(len(p)) > r.from {
		return 0, errDisk
	}
	return bytes.NewReader(r.data).ReadAt(p, at)
}

// A segment of another version is told from a damaged one.
func TestOtherVersion(t *testing.T) {
	segment, _, _ := smallSegment(t)
	segment[len(segmentMagic)] = formatVersion + 1
	_, err := readInfo(bytes.NewReader(segment), int64(len(segment)))
	require.ErrorIs(t, err, ErrVersion)
	require.ErrorContains(t, err, "2, this program reads 1")
	segment[0] = 'x'
	_, err = readInfo(bytes.NewReader(segment), int64(len(segment)))
	require.ErrorContains(t, err, "does not begin as a segment does")
}

// A scrape that has fewer bits than series is damage, however many they are: here each has a bit
// that says whether its value has changed.
func TestScrapeWithoutValues(t *testing.T) {
	first := gauges(1, 0, 10_000)
	segment, _, e := encoded(t, []*recorder.Batch{first})
	at := len(segment)
	segment = append(beginFrame(segment, typeScrape), 1, 1, 0, 0) // the next number, target 0, its time, no flags
	_, err := endFrame(segment, at, e.sum)
	require.NoError(t, err)
	got, _, _, err := scanAll(t, segment)
	var d *Damage
	require.ErrorAs(t, err, &d)
	require.Equal(t, int64(at), d.Offset)
	requireSameBatches(t, []*recorder.Batch{first}, got)
}

// Records of types that are not known are skipped.
func TestUnknownRecord(t *testing.T) {
	batches := randomBatches(rand.New(rand.NewSource(3)), 2)
	segment, ends, e := encoded(t, batches[:1])
	start := len(segment)
	segment = append(beginFrame(segment, 99), "of a later program"...)
	_, err := endFrame(segment, start, e.sum)
	require.NoError(t, err)
	segment, err = e.appendScrape(segment, batches[1], batches[1].Number)
	require.NoError(t, err)
	got, _, _, err := scanAll(t, segment)
	require.Equal(t, io.EOF, err)
	requireSameBatches(t, batches, got)
	require.Len(t, ends, 2)
}

// The information of a closed segment takes two small reads more than its header.
func TestInfoByTrailerReadsLittle(t *testing.T) {
	batches := randomBatches(rand.New(rand.NewSource(1)), 3_000)
	segment := closedSegment(t, batches)
	r := &countingReader{data: segment}
	info, err := readInfo(r, int64(len(segment)))
	require.NoError(t, err)
	require.Equal(t, len(batches), info.Scrapes())
	require.Equal(t, 3, r.reads)
	require.Less(t, r.bytes, headerAhead+1024)
	require.Greater(t, len(segment), 100_000)
}

type countingReader struct {
	data         []byte
	reads, bytes int
}

func (r *countingReader) ReadAt(p []byte, at int64) (int, error) {
	r.reads++
	r.bytes += len(p)
	return bytes.NewReader(r.data).ReadAt(p, at)
}
