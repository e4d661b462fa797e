package simulation

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPlanComesFromTheSeedAlone(t *testing.T) {
	for seed := range uint64(50) {
		require.Equal(t, newPlan(seed, false).String(), newPlan(seed, false).String())
		require.NotEqual(t, newPlan(seed, false).String(), newPlan(seed+1, false).String())
	}
}

func TestPlansHaveAllThatCanBeDone(t *testing.T) {
	left := []verb{cutPath, losePath, blockOut, openOut, blockIn, openIn, slowPath, normalPath, killAgent, powerOffAgent, leaveAgent,
		startAgent, startTwin, killTwin, leaveTwin, startImpostor, killImpostor, powerOffImpostor, leaveImpostor,
		breakRegistration, breakMetrics, doubleFrames, singleFrames, failPage, spoilPage, mixPage, slowPage, goodPage,
		crashProxy, powerOffProxy, stopProxy, startProxy, ask, crashNode, breakOthers}
	for seed := range uint64(defaultSeeds) {
		p := newPlan(1+seed, false)
		require.True(t, slices.IsSortedFunc(p.steps, func(a, b step) int { return int(a.at - b.at) }))
		for _, s := range p.steps {
			require.Less(t, s.at, p.span)
			left = slices.DeleteFunc(left, func(v verb) bool { return v == s.do })
		}
	}
	require.Empty(t, left)
}
