package httpapi

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"fodc/messages"
)

const (
	maxInFlightBytes = 256 << 20
	valueBytes       = 8
)

// large returns a collection of somewhat more than the bytes.
func large(bytes int) *messages.Collection {
	f := messages.Family{Name: "a", Series: make([]messages.Series, 1), Values: make([]float64, bytes/valueBytes)}
	return &messages.Collection{Nodes: []messages.NodeAnswer{{Blocks: []messages.Block{{Times: []int64{1}, Families: []messages.Family{f}}}}}}
}

func TestInFlightCollectionsAreBounded(t *testing.T) {
	var f inFlight
	half := large(maxInFlightBytes / 2)
	releaseHalf, err := f.acquire(half, maxInFlightBytes)
	require.NoError(t, err)
	releaseAgain, err := f.acquire(half, maxInFlightBytes)
	require.NoError(t, err, "one that is shared counts once")
	other := large(maxInFlightBytes / 2)
	_, err = f.acquire(other, maxInFlightBytes)
	var known *messages.Error
	require.ErrorAs(t, err, &known)
	require.Equal(t, messages.ErrUnavailable, known.Kind)
	require.ErrorContains(t, err, "take 128 MiB of 256 MiB already, and this one 128 MiB")
	small, err := f.acquire(large(maxInFlightBytes/4), maxInFlightBytes)
	require.NoError(t, err)

	releaseHalf()
	_, err = f.acquire(other, maxInFlightBytes)
	require.Error(t, err, "somebody still reads it")
	releaseAgain()
	releaseOther, err := f.acquire(other, maxInFlightBytes)
	require.NoError(t, err)
	releaseOther()
	small()
	require.Zero(t, f.bytes)
	require.Empty(t, f.collections)

	several := large(maxInFlightBytes / 2)
	var readers []func()
	for {
		release, err := f.acquire(several, maxInFlightBytes)
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
	require.Zero(t, f.bytes)

	release, err := f.acquire(large(2*maxInFlightBytes), maxInFlightBytes)
	require.NoError(t, err, "the only one may be of any size")
	_, err = f.acquire(large(maxInFlightBytes/8), maxInFlightBytes)
	require.Error(t, err)
	nothing, err := f.acquire(&messages.Collection{}, maxInFlightBytes)
	require.NoError(t, err, "what takes nothing fits")
	nothing()
	release()
	require.Zero(t, f.bytes)
}

// Clients that read long windows, however many and slowly, keep nobody from the latest samples.
func TestSmallCollectionsHaveReservedBytes(t *testing.T) {
	var f inFlight
	release, err := f.acquire(large(2*maxInFlightBytes), maxInFlightBytes)
	require.NoError(t, err)
	releases := []func(){release}
	few := large(maxInFlightBytes / 20)
	release, err = f.acquire(few, maxInFlightBytes)
	require.NoError(t, err)
	releases = append(releases, release)
	for range 3 {
		release, err := f.acquire(large(maxInFlightBytes/20), maxInFlightBytes)
		require.NoError(t, err)
		releases = append(releases, release)
	}
	_, err = f.acquire(large(maxInFlightBytes/20), maxInFlightBytes)
	require.Error(t, err, "they have a quarter on top, and no more")
	release, err = f.acquire(few, maxInFlightBytes)
	require.NoError(t, err, "a page of what is there takes little")
	for _, release := range append(releases, release) {
		release()
	}
	require.Zero(t, f.bytes)
	require.Zero(t, f.small)
}

func TestCollectionBytes(t *testing.T) {
	require.Zero(t, collectionBytes(&messages.Collection{}))
	own := messages.Family{Series: []messages.Series{{Labels: `a="1"`, Values: make([]float64, 10)}, {Values: make([]float64, 10)}}}
	c := &messages.Collection{Nodes: []messages.NodeAnswer{{}, {Blocks: []messages.Block{{Times: make([]int64, 10), Families: []messages.Family{own}}}}}}
	require.Equal(t, c.Nodes[1].Blocks[0].MemoryBytes(), collectionBytes(c))
	c.Nodes[0] = c.Nodes[1]
	require.Equal(t, 2*c.Nodes[1].Blocks[0].MemoryBytes(), collectionBytes(c))
}

// While slow clients read, a request for much gets a 503 with Retry-After.
func TestResponsesOverTheLimitAreUnavailable(t *testing.T) {
	a := newFakeProxy()
	a.collection = large(maxInFlightBytes / 8)
	h := a.Handler()
	release, err := a.inFlight.acquire(large(maxInFlightBytes), maxInFlightBytes)
	require.NoError(t, err)
	for _, path := range []string{"/metrics", "/metrics-windows"} {
		w := do(h, http.MethodGet, path)
		require.Equal(t, http.StatusServiceUnavailable, w.Code, path)
		require.NotEmpty(t, w.Header().Get("Retry-After"))
		require.Contains(t, w.Body.String(), "the answers that clients are reading take 256 MiB")
	}
	a.collection = large(valueBytes)
	require.Equal(t, http.StatusOK, do(h, http.MethodGet, "/metrics").Code, "the latest samples fit")
	release()
	for range 2 {
		require.Equal(t, http.StatusOK, do(h, http.MethodGet, "/metrics").Code)
		require.Zero(t, a.inFlight.bytes, "what was written is released")
	}
}
