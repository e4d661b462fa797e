package modes

import (
	"cmp"
	"strconv"

	"fodc/actors/agent"
	"fodc/messages"
)

// What the limits of a page may be set to. The number of labels is what all proxies accept.
const (
	maxPageBytes   = 1 << 30
	maxPageSamples = 10_000_000
)

var (
	pageBytes    = intRange{1 << 10, maxPageBytes}
	pageSamples  = intRange{1, maxPageSamples}
	sampleLabels = intRange{1, messages.MaxSeriesLabels}
	labelBytes   = intRange{1, messages.MaxLabelTextBytes}
)

// limitOptions are the flags that bound the pages of endpoints.
func limitOptions(c *AgentConfig) []*option {
	return []*option{
		intOption(&c.MaxPageBytes, "max-page-bytes", "33554432", "`BYTES` that a metrics page may have, uncompressed", pageBytes),
		intOption(&c.MaxPageSamples, "max-page-samples", "200000", "`NUMBER` of samples that a metrics page may have", pageSamples),
		intOption(&c.MaxSampleLabels, "max-sample-labels", strconv.Itoa(messages.MaxSeriesLabels),
			"`NUMBER` of labels that a sample may have; one with more is left out", sampleLabels),
		intOption(&c.MaxLabelBytes, "max-label-bytes", strconv.Itoa(messages.MaxLabelTextBytes),
			"`BYTES` that the name and the value of a label may have; a sample with more is left out", labelBytes),
	}
}

func (c AgentConfig) checkLimits() error {
	return cmp.Or(
		pageBytes.check("max-page-bytes", c.MaxPageBytes),
		pageSamples.check("max-page-samples", c.MaxPageSamples),
		sampleLabels.check("max-sample-labels", c.MaxSampleLabels),
		labelBytes.check("max-label-bytes", c.MaxLabelBytes),
	)
}

func (c AgentConfig) limits() agent.ScrapeLimits {
	return agent.ScrapeLimits{PageBytes: int64(c.MaxPageBytes), PageSamples: c.MaxPageSamples,
		SampleLabels: c.MaxSampleLabels, LabelBytes: c.MaxLabelBytes}
}
