//go:build e2e && linux

package modes_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"fodc/actors/agent/rules"

	"github.com/stretchr/testify/require"
)

// TestE2EPromtoolChecksTheBuiltinRules has promtool check the built-in rules, and run their tests.
func TestE2EPromtoolChecksTheBuiltinRules(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, rules.BuiltinFiles()))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "all.yml"), rules.Builtin(), 0o600))
	tests, err := filepath.Glob(filepath.Join(dir, "*_test.yml"))
	require.NoError(t, err)
	require.NotEmpty(t, tests)
	for _, args := range [][]string{{"check", "rules", "all.yml"}, append([]string{"test", "rules"}, tests...)} {
		cmd := exec.Command("promtool", args...)
		cmd.Dir = dir
		said, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", said)
	}
}
