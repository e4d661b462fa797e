package changes

import (
	"math"
	"slices"
	"strings"
)

// agentPrefixes begin the names of the agent's own series: they change when an incident begins, because the agent does more then.
var agentPrefixes = []string{"fodc_agent_", "fodc_incident", "fodc_journal_", "fodc_rule"}

func isOfAgent(name string) bool {
	return slices.ContainsFunc(agentPrefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// familyOf returns the name of the family of a series.
func familyOf(s *Series) string {
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		if base, ok := strings.CutSuffix(s.Name, suffix); ok && base != "" && isPartOfHistogram(s) {
			return base
		}
	}
	return s.Name
}

// bad are words in the names of what should not happen.
var bad = []string{"err", "fail", "drop", "reject", "timeout", "panic", "oom", "restart", "lost", "refused"}

// floorOf is the least unit of a series, by its name and by the values of its baseline.
func floorOf(name string, counter bool, v []float64, level float64) float64 {
	name = strings.TrimSuffix(name, "_total")
	share := floorShare * math.Abs(level)
	has := func(unit string) bool { return strings.HasSuffix(name, unit) }
	switch {
	case counter && (has("_bytes") || has("_bytes_sum")):
		return max(share, floorByteRate)
	case counter && (has("_seconds") || has("_seconds_sum")):
		return max(share, floorSecondRate)
	case counter:
		for _, word := range bad {
			if strings.Contains(name, word) {
				return max(share, floorBadRate)
			}
		}
		return max(share, floorRate)
	case has("_bytes"):
		return max(share, floorBytes)
	case has("_seconds"):
		return max(share, floorSeconds)
	}
	for _, x := range v {
		if x != math.Trunc(x) {
			return max(share, floorRatio)
		}
	}
	return max(share, floorCount)
}
