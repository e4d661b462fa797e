package kernel

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is loaded was made from these sources: make bpf writes the sums of both.
func TestProgramsAreOfTheirSources(t *testing.T) {
	text, err := os.ReadFile("bpf/SHA256SUMS")
	require.NoError(t, err)
	sums := map[string]string{}
	for line := range strings.Lines(string(text)) {
		sum, name, ok := strings.Cut(strings.TrimSpace(line), "  ")
		require.True(t, ok, line)
		sums[name] = sum
	}
	names, err := filepath.Glob("bpf/*.[ch]")
	require.NoError(t, err)
	names = append(names, "programs_bpfel.o", "programs_bpfel.go")
	require.Greater(t, len(names), 4)
	require.Len(t, sums, len(names), "bpf/SHA256SUMS: run make bpf")
	for _, name := range slices.Sorted(slices.Values(names)) {
		contents, err := os.ReadFile(name)
		require.NoError(t, err)
		require.Equal(t, sums[name], fmt.Sprintf("%x", sha256.Sum256(contents)), "%s has changed: run make bpf", name)
	}
}
