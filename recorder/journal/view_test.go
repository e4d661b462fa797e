package journal_test

import (
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"

	"fodc/recorder/journal"
	"fodc/recorder/journal/journaltest"
)

// A view has what the directory has, whoever writes it, and is not disturbed by other files.
func TestOpenView(t *testing.T) {
	k := newKit(t)
	for range 3 {
		require.NoError(t, k.append(3))
		require.NoError(t, k.writer.Close(k.now))
		k.restart()
	}
	require.NoError(t, k.append(5))
	for name, data := range map[string]string{
		"00000002.pin": "", "00000009.pin": "", "2.segment": "no such number", "notes.txt": "x", "00000002.segment.tmp": "x",
		"00000000.segment": "there is no segment 0", "00000007.segment": "not a segment", "00000008.segment": "fodcseg\x02 of later",
	} {
		k.disk.Put(name, []byte(data))
	}
	k.disk.Put("00000010.segment", k.disk.Bytes("00000001.segment"))

	v, err := journal.OpenView(k.disk)
	require.NoError(t, err)
	want := k.writer.View().Segments
	want[1].Pinned, want[1].PinnedByHand = true, true
	require.Len(t, want, 4)
	require.Equal(t, want, v.Segments)
	require.Zero(t, v.Segments[3].Closed)
	require.NotZero(t, v.Segments[2].Closed)
	var unreadable []string
	for _, u := range v.Unreadable {
		unreadable = append(unreadable, u.Err.Error())
	}
	require.Equal(t, []string{
		"00000007.segment: damaged at offset 0: it does not begin as a segment does",
		"00000008.segment: unknown version of a segment: 2, this program reads 1",
		"00000010.segment: its header is that of segment 1",
	}, unreadable)
	require.ErrorIs(t, v.Unreadable[1].Err, journal.ErrVersion)
}

// A directory that is empty has no segments. One that cannot be listed is an error, and so is a
// file that cannot be read, but of that file alone.
func TestOpenViewOfBadDisk(t *testing.T) {
	disk := journaltest.New()
	v, err := journal.OpenView(disk)
	require.NoError(t, err)
	require.Empty(t, v.Segments)
	require.Empty(t, v.Unreadable)

	k := newKit(t)
	require.NoError(t, k.append(3))
	_, err = journal.OpenView(failingFS{FS: k.disk, list: fs.ErrPermission})
	require.ErrorIs(t, err, fs.ErrPermission)
	v, err = journal.OpenView(failingFS{FS: k.disk, open: fs.ErrPermission})
	require.NoError(t, err)
	require.Empty(t, v.Segments)
	require.Len(t, v.Unreadable, 1)
	require.ErrorIs(t, v.Unreadable[0].Err, fs.ErrPermission)
	v, err = journal.OpenView(failingFS{FS: k.disk, open: fs.ErrNotExist}) // Retention was faster.
	require.NoError(t, err)
	require.Empty(t, v.Unreadable)
}

type failingFS struct {
	journal.FS
	list, open error
}

func (f failingFS) List() ([]journal.FileInfo, error) {
	if f.list != nil {
		return nil, f.list
	}
	return f.FS.List()
}

func (f failingFS) Open(name string) (journal.ReadFile, error) {
	if f.open != nil {
		return nil, f.open
	}
	return f.FS.Open(name)
}
