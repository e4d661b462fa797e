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
	for name, content := range map[string][]byte{"builtin.yml": rules.Builtin(), "builtin_test.yml": rules.BuiltinTests()} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	for _, args := range [][]string{{"check", "rules", "builtin.yml"}, {"test", "rules", "builtin_test.yml"}} {
		cmd := exec.Command("promtool", args...)
		cmd.Dir = dir
		said, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", said)
	}
}
