//go:build e2e && linux && (amd64 || arm64)

package kernel

import (
	"os"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/stretchr/testify/require"
)

// A newer kernel checks the form of the program for older ones at another event that begins with a number.
func TestE2EMemoryKillByIDLoads(t *testing.T) {
	needs(t, os.Geteuid() == 0 && os.Getenv(namespaceVariable) != "", "root and a mount namespace")
	spec, err := loadPrograms()
	require.NoError(t, err)
	for name := range spec.Programs {
		if name != memoryKillByID {
			delete(spec.Programs, name)
		}
	}
	spec.Programs[memoryKillByID].AttachTo = "signal_generate"
	all, err := ebpf.NewCollection(spec)
	require.NoError(t, err)
	require.NotNil(t, all.Programs[memoryKillByID])
	all.Close()
}
