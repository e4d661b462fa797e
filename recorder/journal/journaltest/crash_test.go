package journaltest

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"fodc/recorder/disktest"
)

// crashes calls f with many random sources.
func crashes(f func(rng *rand.Rand)) {
	for seed := range uint64(500) {
		f(rand.New(rand.NewPCG(seed, 0)))
	}
}

func TestKillLeavesWhatWasWritten(t *testing.T) {
	crashes(func(rng *rand.Rand) {
		d := New()
		f := write(t, d, "a", "one")
		d.Put("b", nil)
		require.NoError(t, d.Remove("b"))
		after := d.After(disktest.Kill, rng)
		require.Equal(t, d.Files(), after.Files())
		require.Equal(t, "one", string(after.Bytes("a")))
		_, err := f.Write([]byte("two"))
		require.ErrorIs(t, err, disktest.ErrStopped, "the process is dead")
		require.Equal(t, "one", string(after.Bytes("a")))
	})
}

func TestKilledWriteIsCutAnywhere(t *testing.T) {
	lengths := map[int]bool{}
	crashes(func(rng *rand.Rand) {
		d := New()
		f := write(t, d, "a", "one")
		d.StopAfter(2, rng)
		_, err := f.Write([]byte("two"))
		require.NoError(t, err)
		require.False(t, d.Stopped())
		_, err = f.Write([]byte("four"))
		require.ErrorIs(t, err, disktest.ErrStopped)
		require.True(t, d.Stopped())
		require.ErrorIs(t, f.Sync(), disktest.ErrStopped)
		_, err = d.List()
		require.ErrorIs(t, err, disktest.ErrStopped)

		got := d.After(disktest.Kill, rng).Bytes("a")
		require.True(t, bytes.HasPrefix([]byte("onetwofour"), got))
		lengths[len(got)] = true
	})
	require.Equal(t, map[int]bool{6: true, 7: true, 8: true, 9: true, 10: true}, lengths)
}

func TestPowerCutLeavesWhatWasSynced(t *testing.T) {
	kept, zeros, lengths := 0, 0, map[int]bool{}
	crashes(func(rng *rand.Rand) {
		d := New()
		f := write(t, d, "a", "one")
		require.NoError(t, f.Sync())
		require.NoError(t, d.SyncDir())
		_, err := f.Write([]byte(" two"))
		require.NoError(t, err)

		got := d.After(disktest.PowerCut, rng).Bytes("a")
		require.True(t, bytes.HasPrefix(got, []byte("one")))
		lengths[len(got)] = true
		switch string(got) {
		case "one two":
			kept++
		case "one\x00\x00\x00\x00":
			zeros++
		}
	})
	require.Positive(t, kept)
	require.Positive(t, zeros)
	require.Equal(t, map[int]bool{3: true, 4: true, 5: true, 6: true, 7: true}, lengths)
}

func TestPowerCutAfterKillLosesWhatWasNeverSynced(t *testing.T) {
	lost := 0
	crashes(func(rng *rand.Rand) {
		d := New()
		write(t, d, "a", "one")
		require.NoError(t, d.SyncDir())
		if len(d.After(disktest.Kill, rng).After(disktest.PowerCut, rng).Bytes("a")) < 3 {
			lost++
		}
	})
	require.Positive(t, lost)
}

func TestPowerCutUndoesTheDirectory(t *testing.T) {
	found := map[string]int{}
	crashes(func(rng *rand.Rand) {
		d := New()
		write(t, d, "kept", "")
		write(t, d, "removed", "")
		require.NoError(t, d.SyncDir())
		require.NoError(t, write(t, d, "made", "").Sync())
		require.NoError(t, d.Remove("removed"))
		for _, f := range d.After(disktest.PowerCut, rng).Files() {
			found[f.Name]++
		}
	})
	require.Equal(t, 500, found["kept"])
	for _, name := range []string{"made", "removed"} {
		require.Greater(t, found[name], 100, name)
		require.Less(t, found[name], 400, name)
	}
}

func TestCrashIsTheSameForASeed(t *testing.T) {
	crash := func() []byte {
		d := New()
		write(t, d, "a", "one one one one")
		write(t, d, "b", "two")
		rng := rand.New(rand.NewPCG(7, 7))
		after := d.After(disktest.PowerCut, rng)
		return append(after.Bytes("a"), after.Bytes("b")...)
	}
	require.Equal(t, crash(), crash())
}
