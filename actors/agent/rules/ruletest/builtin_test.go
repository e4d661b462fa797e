package ruletest

import (
	"testing"

	"fodc/actors/agent/rules"

	"github.com/stretchr/testify/require"
)

func TestBuiltin(t *testing.T) {
	set, err := rules.Load(true, nil)
	require.NoError(t, err)
	require.NoError(t, Run(t.Context(), "builtin_test.yml", rules.BuiltinTests(), func(files []string) (*rules.Set, error) {
		require.Equal(t, []string{"builtin.yml"}, files)
		return set, nil
	}))
}
