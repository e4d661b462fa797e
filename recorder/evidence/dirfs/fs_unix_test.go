//go:build unix

package dirfs_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"fodc/recorder/evidence/dirfs"
)

// Opening a named pipe would wait for its other end.
func TestNamedPipeIsNotOpened(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600))
	_, err := dirfs.New(dir).Open("pipe")
	require.ErrorContains(t, err, "no regular file")
	require.NoError(t, dirfs.New(dir).Remove("pipe"))
}
