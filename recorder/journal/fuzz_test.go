package journal

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"math/rand"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"fodc/messages"
)

// FuzzSegment reads any bytes as a segment. With framed, they are the payloads of frames that
// have right checksums, each behind its length in two bytes: so what is in the records is met
// by any bytes, too.
func FuzzSegment(f *testing.F) {
	segment, ends, _ := smallSegment(f)
	f.Add(segment, false)
	f.Add(segment[:len(segment)-1], false)
	var payloads []byte
	for i, end := range ends[1:] {
		payload := segment[ends[i]+frameHeaderBytes : end]
		payloads = append(binary.LittleEndian.AppendUint16(payloads, uint16(len(payload))), payload...)
		f.Add(payloads, true)
	}
	f.Fuzz(func(t *testing.T, input []byte, framed bool) {
		if framed {
			input = withChecksums(t, input)
		}
		r := bytes.NewReader(input)
		info, err := readInfo(r, int64(len(input)))
		s, _, scanErr := newScanner(r, int64(len(input)))
		if scanErr != nil {
			require.Equal(t, scanErr, err)
			return
		}
		s.events = true
		require.NoError(t, err)
		records := 0
		for scanErr == nil {
			var got record
			before := s.at
			if got, scanErr = s.next(); scanErr == nil {
				records++
				require.Less(t, before, s.at)
				requireSound(t, got.scrape)
				if got.event != nil {
					require.True(t, utf8.ValidString(got.event.Target) && utf8.ValidString(got.event.Detail) && utf8.ValidString(string(got.event.Kind)))
				}
			}
		}
		require.True(t, scanErr == io.EOF || s.info.Damage != nil)
		require.LessOrEqual(t, records, len(input)/frameHeaderBytes)
		require.LessOrEqual(t, s.decode.series, len(input))
		_ = info
		for _, sel := range []messages.Selection{
			{ScrapeTimes: true}, {SeriesOnly: true}, {ScrapeTimes: true, SeriesOnly: true},
			{Names: []string{"banyandb_family_2"}}, {Names: []string{"none"}, ScrapeTimes: true},
		} {
			readAnswer(t, input, sel)
		}
	})
}

// readAnswer reads what is selected of a segment, and checks what a peer relies on.
func readAnswer(t *testing.T, segment []byte, sel messages.Selection) {
	r := (&View{Segments: []SegmentInfo{{Name: "00000007.segment", Size: int64(len(segment)), Targets: []TargetInfo{{MinTime: math.MinInt64, MaxTime: math.MaxInt64}}}}}).
		NewReader(directoryOf{file: openBytes{bytes.NewReader(segment)}}, Query{Selection: sel})
	defer r.Close()
	for {
		blocks, err := r.Next(1000)
		require.NoError(t, err)
		if blocks == nil {
			return
		}
		for _, b := range blocks {
			require.NotEmpty(t, b.Times)
			for i := range b.Times {
				require.True(t, i == 0 || b.Times[i-1] < b.Times[i])
			}
			require.True(t, len(b.Families) > 0 || sel.ScrapeTimes)
			require.True(t, !sel.SeriesOnly || len(b.Families) == 0 || len(b.Times) == 1)
			for f := range b.Each() {
				require.True(t, len(sel.Names) == 0 || f.Name == sel.Names[0])
				for i := range f.Series {
					require.Len(t, f.ValuesOf(i), len(b.Times))
				}
			}
		}
	}
}

// requireSound checks what readers of a scrape rely on.
func requireSound(t *testing.T, s *scrape) {
	if s == nil {
		return
	}
	require.Len(t, s.values, len(s.members))
	require.Len(t, s.target.familyOf, len(s.target.keys))
	for i, id := range s.members {
		require.Less(t, int(id), len(s.target.keys))
		require.True(t, i == 0 || s.members[i-1] < id)
	}
	for _, f := range s.target.familyOf {
		require.Less(t, int(f), len(s.target.families))
	}
	require.Positive(t, s.number)
}

// withChecksums makes a segment of payloads.
func withChecksums(t testing.TB, payloads []byte) []byte {
	segment, sum, err := appendHeader(nil, testHeader)
	require.NoError(t, err)
	for len(payloads) > 2 {
		n := min(int(binary.LittleEndian.Uint16(payloads)), len(payloads)-2)
		payload := payloads[2 : 2+n]
		payloads = payloads[2+n:]
		if n == 0 {
			continue
		}
		start := len(segment)
		segment = append(beginFrame(segment, recordType(payload[0])), payload[1:]...)
		_, err := endFrame(segment, start, sum)
		require.NoError(t, err)
	}
	return segment
}

// FuzzRoundTrip writes scrapes of random series whose values are made of the input, and reads
// them again.
func FuzzRoundTrip(f *testing.F) {
	f.Add(int64(1), []byte("some values"), byte(0))
	f.Add(int64(2), bytes.Repeat([]byte{1, 0, 255, 7}, 100), byte(1))
	f.Add(int64(3), bytes.Repeat([]byte{0, 16}, 300), byte(12))
	f.Fuzz(func(t *testing.T, seed int64, input []byte, form byte) {
		batches := randomBatches(rand.New(rand.NewSource(seed)), 20)
		sum := int64(0)
		for _, b := range batches {
			for i := range b.Values {
				if len(input) == 0 {
					break
				}
				if form == 0 {
					var bits [8]byte
					input = input[copy(bits[:], input):]
					b.Values[i] = math.Float64frombits(binary.LittleEndian.Uint64(bits[:]))
					continue
				}
				sum += int64(int8(input[0])) << (form % 60)
				input = input[1:]
				b.Values[i] = float64(sum) / math.Pow10(int(form)%11)
			}
		}
		segment, _, _ := encoded(t, batches)
		got, _, _, err := scanAll(t, segment)
		require.Equal(t, io.EOF, err)
		requireSameBatches(t, batches, got)
	})
}
