package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var at = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)

func read(t *testing.T, name, text string, mode os.FileMode, changed time.Time) File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, []byte(text), mode))
	require.NoError(t, os.Chmod(path, mode))
	require.NoError(t, os.Chtimes(path, changed, changed))
	f, err := FromDisk(name, path)
	require.NoError(t, err)
	return f
}

// Order, times and the umask of files make no difference, contents and names do.
func TestSameFilesMakeTheSameArchive(t *testing.T) {
	one := []File{read(t, "a/fodc", "program", 0o755, at), read(t, "a/README.md", "text", 0o644, at)}
	other := []File{read(t, "a/README.md", "text", 0o600, at.Add(time.Hour)), read(t, "a/fodc", "program", 0o700, at.Add(time.Minute))}
	changed := []File{one[0], read(t, "a/README.md", "texts", 0o644, at)}
	for _, write := range []func(io.Writer, time.Time, []File) error{Tar, TarGzip, Zip} {
		bytesOf := func(at time.Time, files []File) string {
			var out bytes.Buffer
			require.NoError(t, write(&out, at, files))
			return out.String()
		}
		require.Equal(t, bytesOf(at, one), bytesOf(at.In(time.FixedZone("x", 3600)), other))
		require.NotEqual(t, bytesOf(at, one), bytesOf(at, changed))
		require.NotEqual(t, bytesOf(at, one), bytesOf(at.Add(time.Hour), one))
		require.Equal(t, "a/fodc", one[0].Name, "the slice of the caller was sorted")
	}
}

func TestArchivesAreRead(t *testing.T) {
	files := []File{{Name: "d/", Mode: 0o700, UID: 65532}, {Name: "d/run", Mode: 0o755, Contents: []byte("program")}}
	var packed bytes.Buffer
	require.NoError(t, TarGzip(&packed, at, files))
	unpacked, err := gzip.NewReader(&packed)
	require.NoError(t, err)
	r := tar.NewReader(unpacked)
	h, err := r.Next()
	require.NoError(t, err)
	require.Equal(t, byte(tar.TypeDir), h.Typeflag)
	require.Equal(t, 65532, h.Uid)
	h, err = r.Next()
	require.NoError(t, err)
	require.Equal(t, int64(0o755), h.Mode)
	require.Equal(t, at.Unix(), h.ModTime.Unix())
	text, err := io.ReadAll(r)
	require.NoError(t, err)
	require.Equal(t, "program", string(text))

	packed.Reset()
	require.NoError(t, Zip(&packed, at, files[1:]))
	z, err := zip.NewReader(bytes.NewReader(packed.Bytes()), int64(packed.Len()))
	require.NoError(t, err)
	require.Len(t, z.File, 1)
	require.Equal(t, os.FileMode(0o755), z.File[0].Mode())
}

func TestNamesThatDoNotFit(t *testing.T) {
	require.Error(t, Tar(io.Discard, at, []File{{Name: string(bytes.Repeat([]byte("x"), 300))}}))
	_, err := FromDisk("x", filepath.Join(t.TempDir(), "gone"))
	require.Error(t, err)
}
