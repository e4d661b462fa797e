package wire

import (
	"maps"
	"slices"

	"fodc/messages"
)

// Limits of what is read from, and sent to, a peer. All texts that are not named here have
// messages.MaxTextBytes. How many nodes, groups, segments, objects or files there are is bounded by the
// size of a message.
const (
	// MaxReportBytes bounds a report of a lifecycle run.
	MaxReportBytes = 1 << 20
	// MaxProfileDataBytes bounds the data of a chunk of a profile.
	MaxProfileDataBytes = 1 << 20

	maxStackBytes      = 256 << 10
	maxPanicValueBytes = 64 << 10

	maxNodeLabels     = 64
	maxNodeRoles      = 16
	maxStages         = 64
	maxGroupErrors    = 256
	maxReports        = 64
	maxCrashFiles     = 1024
	maxBreadcrumbs    = 1024
	maxCrashFields    = 64
	maxProcessEntries = 256
	maxProfileFiles   = 64
)

func cleanText(text string) string { return Clean(text, messages.MaxTextBytes) }

// converted returns what f makes of the first elements, up to the limit; nil where there are
// none.
func converted[A, B any](list []A, limit int, f func(A) B) []B {
	if len(list) == 0 {
		return nil
	}
	made := make([]B, min(len(list), limit))
	for i := range made {
		made[i] = f(list[i])
	}
	return made
}

// kept returns the elements that f makes and wants to keep; nil where there are none.
func kept[A, B any](list []A, f func(A) (B, bool)) []B {
	var made []B
	for _, a := range list {
		if b, ok := f(a); ok {
			if made == nil {
				made = make([]B, 0, len(list))
			}
			made = append(made, b)
		}
	}
	return made
}

// cleanTexts returns valid texts, at most limit of them.
func cleanTexts(list []string, limit int) []string { return converted(list, limit, cleanText) }

// cleanMap returns valid texts. Of more than limit entries it keeps those that are first by name.
func cleanMap(m map[string]string, limit int) map[string]string {
	if len(m) == 0 {
		return nil
	}
	clean := make(map[string]string, min(len(m), limit))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if len(clean) == limit {
			break
		}
		if _, taken := clean[cleanText(name)]; !taken {
			clean[cleanText(name)] = cleanText(m[name])
		}
	}
	return clean
}
