//go:build e2e && linux

package modes_test

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"fodc/modes/nodetest"

	"github.com/stretchr/testify/require"
)

// startLoadedNode starts a process that plays a database node, by way of a command if need be, and waits until it serves.
func startLoadedNode(t *testing.T, s nodetest.Settings, by ...string) *exec.Cmd {
	t.Helper()
	settings, err := json.Marshal(s)
	require.NoError(t, err)
	args := append(append([]string{}, by...), nodeBinary)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), nodetest.Variable+"="+string(settings))
	cmd.Dir = filepath.Dir(s.Log)
	require.NoError(t, cmd.Start())
	gone := make(chan struct{})
	go func() { _ = cmd.Wait(); close(gone) }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGCONT)
		_ = cmd.Process.Kill()
		<-gone
	})
	eventually(t, "the node serves", func() error {
		conn, err := net.Dial("tcp", s.Metrics)
		if err == nil {
			err = conn.Close()
		}
		return err
	})
	return cmd
}
