package nodeconfig

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestProcessID(t *testing.T) {
	if runtime.GOOS != "linux" {
		_, _, err := NewProcess(Config{Process: "x"}).Find(time.Now())
		require.ErrorContains(t, err, "this system is "+runtime.GOOS)
		return
	}
	file := filepath.Join(t.TempDir(), "pid")
	p := NewProcess(Config{PIDFile: file})
	_, _, err := p.Find(time.Now())
	require.ErrorContains(t, err, "no such file")
	require.NoError(t, os.WriteFile(file, []byte("1\n"), 0o644))
	pid, by, err := p.Find(time.Now())
	require.NoError(t, err)
	require.Equal(t, 1, pid)
	require.Equal(t, file, by)

	// While a search hangs, another one says so.
	p.lock.Lock()
	_, _, err = p.Find(time.Now())
	require.ErrorIs(t, err, errHangs)
	p.lock.Unlock()
}
