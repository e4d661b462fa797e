package rules

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestUnmatched(t *testing.T) {
	dir := t.TempDir()
	none, some := filepath.Join(dir, "*.yaml"), filepath.Join(dir, "*.yml")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.yml"), nil, 0o600))
	require.Equal(t, []string{none}, Unmatched([]string{none, some, "[", filepath.Join(dir, "a.yml")}))
}
