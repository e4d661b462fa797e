package journal

import (
	"bytes"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"

	"fodc/recorder"
)

// oneFile is a directory with one file.
type oneFile struct {
	FS
	name string
	data []byte
}

func (d *oneFile) Open(name string) (ReadFile, error) {
	if name != d.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return openBytes{bytes.NewReader(d.data)}, nil
}

type openBytes struct{ *bytes.Reader }

func (b openBytes) Size() (int64, error) { return b.Reader.Size(), nil }
func (b openBytes) Close() error         { return nil }

func TestVerify(t *testing.T) {
	list := &recorder.SeriesList{Keys: []recorder.SeriesKey{{Name: "a"}}, FamilyOf: []int32{0}, Families: []recorder.Family{{Name: "a"}}}
	var batches []*recorder.Batch
	for n := range int64(5) {
		batches = append(batches, &recorder.Batch{Number: n + 1, Target: "t", At: created + 1000*n, Series: list, Values: []float64{float64(n)}})
	}
	segment, ends, e := encoded(t, batches)
	d := &oneFile{name: segmentName(testHeader.Number)}
	verify := func(data []byte) *Damage {
		t.Helper()
		d.data = data
		info, err := readFileInfo(d, d.name, testHeader.Number)
		require.NoError(t, err)
		info.Pinned = true
		damage, err := Verify(d, info)
		require.NoError(t, err)
		return damage
	}
	require.Nil(t, verify(segment))
	closed := e.appendIndex(bytes.Clone(segment), int64(len(segment)), created+10_000)
	require.Nil(t, verify(closed))

	// The index of a closed segment does not show that a record is damaged.
	flipped := bytes.Clone(closed)
	flipped[ends[2]+frameHeaderBytes+2] ^= 1
	damage := verify(flipped)
	require.NotNil(t, damage)
	require.Equal(t, int64(ends[2]), damage.Offset)

	// An index of other records.
	e.info.Targets[0].Samples++
	wrong := e.appendIndex(bytes.Clone(segment), int64(len(segment)), created+10_000)
	damage = verify(wrong)
	require.NotNil(t, damage)
	require.Equal(t, "the index is not that of the records", damage.Reason)

	_, err := Verify(d, SegmentInfo{Name: segmentName(9)})
	require.ErrorIs(t, err, fs.ErrNotExist)
}
