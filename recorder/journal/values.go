package journal

import (
	"math"

	"fodc/recorder/codec"
)

// maxSampleBytes bounds what a sample takes: also its series' definition without texts.
const maxSampleBytes = 64

// seriesState is what encoder and decoder know of a series.
type seriesState struct{ bits uint64 }

// encodeValues writes the values of a scrape. Members are the ids of its series, ascending;
// order says where in values the value of each is.
func encodeValues(w *codec.BitWriter, states []seriesState, members, order []int32, values []float64) {
	for i := range members {
		w.WriteBits(math.Float64bits(values[order[i]]), codec.WordBits)
	}
}

// decodeValues sets dst to the values of the members. It returns false if data does not have as
// many. Behind its end, data must have room for valuePadding bytes more.
func decodeValues(dst []float64, data []byte, states []seriesState, members []int32) bool {
	r := codec.BitReader{Data: data[:len(data)+valuePadding]}
	end := 8 * len(data)
	for i := range members {
		dst[i] = math.Float64frombits(r.ReadBits(codec.WordBits))
		if r.Offset > end {
			return false
		}
	}
	return end-r.Offset < 8
}

// valuePadding is how many bytes behind its data decodeValues may touch.
const valuePadding = 64
