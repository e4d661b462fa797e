package changes

import "time"

// When something counts as a change.
const (
	// beyond is how many units of the usual a sample is beyond the envelope of before. With less, the list of
	// a busy healthy node has dozens of lines; with more, a step of six standard deviations is overlooked.
	beyond = 2.0
	// minRun of runWindow samples in a row must be beyond it. Chance brings one, and a burst of the load two.
	minRun    = 3
	runWindow = 8
	// minEnvelope is how many standard deviations the envelope has at least: few samples do not show how
	// far a series strays.
	minEnvelope = 3.0
	// smallSample widens the unit by one half of itself at 20 samples, and by a thirtieth at 300.
	smallSample = 10.0
	// minBaseline is how many samples before it are needed to say what was usual.
	minBaseline = 10
	// spikeRatio is for one or two samples: so many times as far off as the furthest before. It is more where
	// the furthest was already far off what is usual.
	spikeRatio = 3.0
	// minPause is how many more scrapes than ever before a counter must pause to be called stopped.
	minPause = 3
)

// What is too small to matter: the least unit of the usual.
const (
	// floorShare is a part of the median: nobody looks at five percent.
	floorShare = 0.05
	// floorBytes is for sizes: caches and heaps breathe by megabytes.
	floorBytes = 16 << 20
	// floorSeconds is for durations: below it, a machine that is busy makes more of a difference.
	floorSeconds = 0.05
	// floorCount is for whole numbers, such as threads: one more or less is no news.
	floorCount = 2.0
	// floorRatio is for all other gauges, most of which are parts of 1.
	floorRatio = 0.05
	// floorRate is for counters, in events a second.
	floorRate = 1.0
	// floorByteRate and floorSecondRate are for counters of bytes and of seconds.
	floorByteRate   = 1 << 20
	floorSecondRate = 0.05
	// floorBadRate is for counters of what should not be at all, such as errors.
	floorBadRate = 0.1
)

// What time is looked at.
const (
	// guardShare of the time before the first occurrence belongs to what is searched, since what leads up to
	// it begins before a rule notices, but no more than maxGuard and no less than minGuard scrapes.
	guardShare = 0.2
	maxGuard   = 5 * time.Minute
	minGuard   = 3
	// sameTime is how many scrapes two onsets may differ to be taken as one: a scrape is the best that can
	// be known, and two targets are scraped one after the other.
	sameTime = 2
	// minAbsent is how many scrapes a series must be absent to be called vanished.
	minAbsent = 3
	// minGroup series, and groupShare of those of the node, must vanish or appear together: single ones do
	// so all the time.
	minGroup   = 3
	groupShare = 0.01
	// wholeShare of the node's families that end or begin together are more than values of a label that come and go: one of two
	// endpoints, say.
	wholeShare = 1.0 / 3
)

// When a series is taken for a counter although its type does not say so.
const (
	// minRising is the part of the steps that must rise.
	minRising = 0.2
	// resetShare: a fall to less than this part is a restart, any other fall is that of a gauge.
	resetShare = 0.5
	// maxMildResets falls by less are restarts, too, if the name says that it is a counter, and it rises mildResets times as
	// often: a process that was young had not counted much. So many restarts are those of a counter that hardly rises.
	maxMildResets = 2
	mildResets    = 4
)

// nearLimit is the part of a limit over which something is near it, and atLimit over which it is said
// although it was so before.
const (
	nearLimit = 0.75
	atLimit   = 0.9
)

// Bounds of a report.
const (
	// MaxPoints of a series, the newest ones, are looked at: two hours and a half of one a second.
	MaxPoints = 10_000
	// MaxChanges is the number of families.
	MaxChanges = 200
	// The others are what a person or a page can do with.
	maxNodes         = 50
	maxGroups        = 50
	maxGroupFamilies = 10
	maxLimits        = 100
	maxChartPoints   = 60
)
