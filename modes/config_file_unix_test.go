//go:build unix

package modes

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A file that nobody writes to does not keep the program from ending.
func TestConfigFileThatHangs(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	_, err := readConfigFile(pipe, time.Millisecond)
	require.EqualError(t, err, "it could not be read within 1ms")
	require.Eventually(t, func() bool { // When the reader has come, it goes on, and ends.
		end, err := os.OpenFile(pipe, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		return err == nil && end.Close() == nil
	}, 10*time.Second, time.Millisecond)
}
