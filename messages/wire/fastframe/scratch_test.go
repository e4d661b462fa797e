package fastframe

import (
	"testing"

	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
)

// The scratch space of a hostile frame is dropped: otherwise every later frame would have to
// clear it.
func TestLargeScratchSpaceIsNotKept(t *testing.T) {
	large := func(grow func(r *reader)) {
		t.Helper()
		r := &reader{Decoder: New()}
		require.False(t, r.isLarge())
		grow(r)
		require.True(t, r.isLarge())
	}
	const n = maxScratchSamples + 1
	large(func(r *reader) { r.columns.families = make([][]byte, n) })
	large(func(r *reader) { r.columns.deltas = make([]int64, n) })
	large(func(r *reader) { r.columns.suffixes = make([]wire.Suffix, n) })
	large(func(r *reader) { r.columns.texts = make([][]byte, n) })
	large(func(r *reader) { r.families.slots = make([]uint32, n) })
	large(func(r *reader) { r.metric.labels = make([][]byte, n) })
}
