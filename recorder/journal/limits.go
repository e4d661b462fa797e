package journal

import "fodc/messages"

// The limits of a segment. The encoder stays within them, and the decoder takes what is over
// one for damage, so that no file can make it allocate more than they allow.
const (
	// maxFrameBytes bounds the payload of a frame: a scrape of 200,000 series with the
	// descriptions of all of them takes less than half of it.
	maxFrameBytes = 64 << 20
	maxTargets    = 1 << 12
	// maxSeries and maxFamilies bound those that a segment defines, of all targets. A window may have
	// 200,000 series, each of a family of its own.
	maxSeries   = 1 << 19
	maxFamilies = 1 << 19
	// maxTextBytes bounds the texts that a segment defines, as they are in memory: shared
	// prefixes make them much shorter in the file.
	maxTextBytes = 128 << 20
	// maxHeaderTextBytes bounds a text of the header, maxNodeLabels the labels of the node.
	maxHeaderTextBytes = 64 << 10
	maxNodeLabels      = 1 << 10
	maxTargetNameBytes = messages.MaxTargetBytes
	// maxFailureBytes bounds the reason of a failed scrape. The encoder cuts a longer one.
	maxFailureBytes = 4 << 10
	// maxSampleBytes is more than a sample and the definition of its series take, without texts.
	maxSampleBytes = 64
	// maxMarks bounds the marks that the information of a segment has. Later ones are left out.
	maxMarks = 1 << 10
)

// The limits of what a family and a series may be are those of package messages.
const (
	maxNameBytes   = messages.MaxNameBytes
	maxHelpBytes   = messages.MaxHelpBytes
	maxLabelsBytes = messages.MaxLabelTextBytes
)
