package fastframe

import (
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// Labels are equal in any order, and differ from all others.
func TestLabelsInAnyOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 2, 3, 5, 8, 9, 70, messages.MaxSeriesLabels} {
		var entries [][]byte
		for i := range n {
			// Some are of one length, and some are long.
			entries = append(entries, raw{}.text(1, fmt.Sprintf("l%d", i)).text(2, strings.Repeat("v", i%3*100)))
		}
		l := newSeriesCache(maphash.MakeSeed()).labelsOf("", entries)
		agrees := func(want bool, entries [][]byte) {
			t.Helper()
			var fields []byte
			for _, entry := range entries {
				fields = appendText(fields, tagLabels, entry)
			}
			require.Equal(t, want, l.equal(entries))
			require.Equal(t, want, l.isPrefixOf(fields))
			require.Equal(t, want, l.isPrefixOf(append(fields, 0x19, 1, 2)))
		}
		agrees(true, entries)
		for i := range n {
			agrees(true, append(slices.Clone(entries[i:]), entries[:i]...))
			permuted := slices.Clone(entries)
			random.Shuffle(n, func(i, j int) { permuted[i], permuted[j] = permuted[j], permuted[i] })
			agrees(true, permuted)
			agrees(false, permuted[1:])
			if n > 1 {
				other := slices.Clone(permuted)
				other[i] = other[(i+1)%n]
				agrees(false, other)
			}
			other := slices.Clone(permuted)
			other[i] = slices.Clone(other[i])
			other[i][3] ^= 1
			agrees(false, other)
		}
	}
}

// A length may be encoded in more bytes than necessary. Labels of the same total size are
// then not necessarily the same labels.
func TestLabelsWithLongLengths(t *testing.T) {
	var entries [][]byte
	for i := range 7 {
		entries = append(entries, raw{}.text(1, fmt.Sprintf("l%d", i)).text(2, "v"))
	}
	all := append(slices.Clone(entries), raw{}.text(1, "x").text(2, ""))
	l := newSeriesCache(maphash.MakeSeed()).labelsOf("", all)
	var fields []byte
	for _, entry := range entries {
		fields = append(fields, byte(tagLabels), byte(len(entry))|0x80, 0)
		fields = append(fields, entry...)
	}
	require.GreaterOrEqual(t, len(fields), len(l.fields))
	require.False(t, l.isPrefixOf(fields))
}
