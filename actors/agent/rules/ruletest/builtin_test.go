package ruletest

import (
	"io/fs"
	"strings"
	"testing"

	"fodc/actors/agent/rules"

	"github.com/stretchr/testify/require"
)

// TestBuiltin runs the unit tests of the built-in rules. Each file of rules has one, and each rule of a file is tested by its own.
func TestBuiltin(t *testing.T) {
	set, err := rules.Load(true, nil)
	require.NoError(t, err)
	files := rules.BuiltinFiles()
	names, err := fs.Glob(files, "*.yml")
	require.NoError(t, err)
	inFiles := 0
	for _, name := range names {
		content, err := fs.ReadFile(files, name)
		require.NoError(t, err)
		if !strings.HasSuffix(name, "_test.yml") {
			of, err := rules.Parse(name, content)
			require.NoError(t, err)
			inFiles += len(of)
			require.Contains(t, names, strings.TrimSuffix(name, ".yml")+"_test.yml")
			continue
		}
		t.Run(name, func(t *testing.T) {
			require.NoError(t, Run(t.Context(), name, content, func(files []string) (*rules.Set, error) {
				require.Equal(t, []string{strings.TrimSuffix(name, "_test.yml") + ".yml"}, files)
				return set, nil
			}))
		})
	}
	require.Len(t, set.Rules(), inFiles, "all files are part of the built-in rules")
}
