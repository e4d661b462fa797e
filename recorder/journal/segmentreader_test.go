package journal

import (
	"bytes"
	"io"
	"math/rand"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"fodc/messages"
	"fodc/recorder"
)

// memoryFile is a file that counts how often it is read from its begin.
type memoryFile struct {
	openBytes
	begun int
}

func (f *memoryFile) ReadAt(p []byte, at int64) (int, error) {
	if at == 0 {
		f.begun++
	}
	return f.openBytes.ReadAt(p, at)
}

// directoryOf is a directory in which every name is that of the file.
type directoryOf struct {
	FS
	file ReadFile
}

func (d directoryOf) Open(string) (ReadFile, error) { return d.file, nil }

// only is the batch with the series of the families that are wanted.
func only(b *recorder.Batch, wanted func(family string) bool) *recorder.Batch {
	some, l := *b, *b.Series
	l.Keys, l.FamilyOf, some.Values = nil, nil, nil
	for i, k := range b.Series.Keys {
		if wanted(k.Name) {
			l.Keys, l.FamilyOf, some.Values = append(l.Keys, k), append(l.FamilyOf, b.Series.FamilyOf[i]), append(some.Values, b.Values[i])
		}
	}
	some.Series = &l
	return &some
}

// Samples of a family are what they are, whenever a target gets the family, and whatever was not
// decoded before. Frames of unknown types are between all others.
func TestReadOfSomeFamilies(t *testing.T) {
	startedAgain := 0
	for seed := range int64(60) {
		rng := rand.New(rand.NewSource(seed))
		batches := randomBatches(rng, 20)
		from := make(map[string]int) // when a family appears
		for f := range 4 {
			from["banyandb_family_"+strconv.Itoa(f)] = rng.Intn(20)
		}
		for i, b := range batches {
			batches[i] = only(b, func(family string) bool { return from[family] <= i })
		}
		e := newEncoder(testHeader)
		segment, err := e.appendHeader(nil)
		require.NoError(t, err)
		for _, b := range batches {
			start := len(segment)
			segment = append(beginFrame(segment, 99), "of a later program"...)
			_, err = endFrame(segment, start, e.sum)
			require.NoError(t, err)
			segment, err = e.appendScrape(segment, b, b.Number)
			require.NoError(t, err)
		}
		for _, names := range [][]string{nil, {"none"}, {"banyandb_family_0"}, {"banyandb_family_1", "banyandb_family_3"}} {
			s, file := readerOf(t, segment, messages.Selection{Names: names, ScrapeTimes: true})
			for _, b := range batches {
				c := s.nextWanted()
				require.NotNil(t, c)
				want, got := only(b, s.selector.wantsFamily), &recorder.Batch{Number: c.number, Target: c.target.name, At: c.at, Failure: c.failure, Series: &recorder.SeriesList{}}
				if len(c.values) > 0 {
					got = only(batchOf(c), s.selector.wantsFamily)
				}
				requireSameBatches(t, []*recorder.Batch{want}, []*recorder.Batch{got})
			}
			require.Nil(t, s.nextWanted())
			require.Equal(t, io.EOF, s.end)
			require.LessOrEqual(t, file.begun, 2)
			if file.begun == 2 {
				startedAgain++
			}
			if len(names) == 0 || names[0] == "none" {
				require.Equal(t, 1, file.begun)
			}
		}
	}
	require.Greater(t, startedAgain, 20)
}

// readerOf returns a reader of a segment, and its file.
func readerOf(t testing.TB, segment []byte, sel messages.Selection) (*segmentReader, *memoryFile) {
	file := &memoryFile{openBytes: openBytes{bytes.NewReader(segment)}}
	r := &Reader{dir: directoryOf{file: file}, selector: newSelector(&Query{Selection: sel})}
	require.NoError(t, r.open(&SegmentInfo{Name: "00000007.segment", Size: int64(len(segment))}))
	return r.current, file
}

// Damage before the place at which a segment is read again ends reading there.
func TestReadAgainOfADamagedSegment(t *testing.T) {
	list := func(families ...string) *recorder.SeriesList {
		l := &recorder.SeriesList{}
		for i, name := range families {
			l.Keys, l.FamilyOf = append(l.Keys, recorder.SeriesKey{Name: name}), append(l.FamilyOf, int32(i))
			l.Families = append(l.Families, recorder.Family{Name: name})
		}
		return l
	}
	segment, ends, _ := encoded(t, []*recorder.Batch{
		{Number: 1, Target: "t", At: created + 1, Series: list("a"), Values: []float64{1}},
		{Number: 2, Target: "t", At: created + 2, Series: list("a"), Values: []float64{2}},
		{Number: 3, Target: "t", At: created + 3, Series: list("a", "b"), Values: []float64{3, 4}},
	})
	s, _ := readerOf(t, segment, messages.Selection{Names: []string{"b"}})
	c := s.nextWanted()
	require.NotNil(t, c)
	require.Equal(t, []float64{3, 4}, c.values)

	s, file := readerOf(t, segment, messages.Selection{Names: []string{"b"}})
	_, err := s.scan.next()
	require.NoError(t, err)
	broken := slices.Clone(segment) // since it was read
	broken[ends[0]+frameHeaderBytes+1]++
	file.openBytes = openBytes{bytes.NewReader(broken)}
	require.Nil(t, s.nextWanted())
	var d *Damage
	require.ErrorAs(t, s.end, &d)
	require.Equal(t, int64(ends[0]), d.Offset)
}
