package httpapi

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"fodc/messages"
)

const (
	maxHeldBytes = 256 << 20
	valueBytes   = 8
)

// large is a collection that takes somewhat more than the bytes.
func large(bytes int) *messages.Collection {
	f := messages.Family{Name: "a", Series: make([]messages.Series, 1), Values: make([]float64, bytes/valueBytes)}
	return &messages.Collection{Nodes: []messages.NodeAnswer{{Blocks: []messages.Block{{Times: []int64{1}, Families: []messages.Family{f}}}}}}
}

func TestHeldCollectionsAreBounded(t *testing.T) {
	var h held
	half := large(maxHeldBytes / 2)
	releaseHalf, err := h.take(half, maxHeldBytes)
	require.NoError(t, err)
	releaseAgain, err := h.take(half, maxHeldBytes)
	require.NoError(t, err, "one that is shared counts once")
	other := large(maxHeldBytes / 2)
	_, err = h.take(other, maxHeldBytes)
	var refusal *messages.Error
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, messages.ErrUnavailable, refusal.Kind)
	require.ErrorContains(t, err, "take 128 MiB of 256 MiB already, and this one 128 MiB")
	small, err := h.take(large(maxHeldBytes/4), maxHeldBytes)
	require.NoError(t, err)

	releaseHalf()
	_, err = h.take(other, maxHeldBytes)
	require.Error(t, err, "somebody still reads it")
	releaseAgain()
	releaseOther, err := h.take(other, maxHeldBytes)
	require.NoError(t, err)
	releaseOther()
	small()
	require.Zero(t, h.bytes)
	require.Empty(t, h.collections)

	several := large(maxHeldBytes / 2)
	var readers []func()
	for {
		release, err := h.take(several, maxHeldBytes)
		if err != nil {
			require.ErrorContains(t, err, "and this one 0 MiB")
			break
		}
		readers = append(readers, release)
	}
	require.Greater(t, len(readers), 100, "its pages take little")
	require.Less(t, len(readers), 1000, "and are bounded")
	for _, release := range readers {
		release()
	}
	require.Zero(t, h.bytes)

	release, err := h.take(large(2*maxHeldBytes), maxHeldBytes)
	require.NoError(t, err, "the only one may be of any size")
	_, err = h.take(large(maxHeldBytes/8), maxHeldBytes)
	require.Error(t, err)
	nothing, err := h.take(&messages.Collection{}, maxHeldBytes)
	require.NoError(t, err, "what takes nothing has room")
	nothing()
	release()
	require.Zero(t, h.bytes)
}

// Who reads long windows, however many and slowly, costs nobody the latest samples.
func TestSmallCollectionsAreSureOfRoom(t *testing.T) {
	var h held
	release, err := h.take(large(2*maxHeldBytes), maxHeldBytes)
	require.NoError(t, err)
	releases := []func(){release}
	few := large(maxHeldBytes / 20)
	release, err = h.take(few, maxHeldBytes)
	require.NoError(t, err)
	releases = append(releases, release)
	for range 3 {
		release, err := h.take(large(maxHeldBytes/20), maxHeldBytes)
		require.NoError(t, err)
		releases = append(releases, release)
	}
	_, err = h.take(large(maxHeldBytes/20), maxHeldBytes)
	require.Error(t, err, "they have a quarter on top, and no more")
	release, err = h.take(few, maxHeldBytes)
	require.NoError(t, err, "a page of what is there takes little")
	for _, release := range append(releases, release) {
		release()
	}
	require.Zero(t, h.bytes)
	require.Zero(t, h.small)
}

func TestHeldBytes(t *testing.T) {
	require.Zero(t, heldBytes(&messages.Collection{}))
	own := messages.Family{Series: []messages.Series{{Labels: `a="1"`, Values: make([]float64, 10)}, {Values: make([]float64, 10)}}}
	c := &messages.Collection{Nodes: []messages.NodeAnswer{{}, {Blocks: []messages.Block{{Times: make([]int64, 10), Families: []messages.Family{own}}}}}}
	require.Equal(t, c.Nodes[1].Blocks[0].MemoryBytes(), heldBytes(c))
	c.Nodes[0] = c.Nodes[1]
	require.Equal(t, 2*c.Nodes[1].Blocks[0].MemoryBytes(), heldBytes(c))
}

// Clients that are slow cost one that asks for much then a 503 with Retry-After, and only
// while they read.
func TestPagesWaitForRoom(t *testing.T) {
	a := newFakeProxy()
	a.collection = large(maxHeldBytes / 8)
	h := a.Handler()
	release, err := a.pages.take(large(maxHeldBytes), maxHeldBytes)
	require.NoError(t, err)
	for _, path := range []string{"/metrics", "/metrics-windows"} {
		w := do(h, http.MethodGet, path)
		require.Equal(t, http.StatusServiceUnavailable, w.Code, path)
		require.NotEmpty(t, w.Header().Get("Retry-After"))
		require.Contains(t, w.Body.String(), "the answers that clients are reading take 256 MiB")
	}
	a.collection = large(valueBytes)
	require.Equal(t, http.StatusOK, do(h, http.MethodGet, "/metrics").Code, "the latest samples have room")
	release()
	for range 2 {
		require.Equal(t, http.StatusOK, do(h, http.MethodGet, "/metrics").Code)
		require.Zero(t, a.pages.bytes, "what was written is let go of")
	}
}
