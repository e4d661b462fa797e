package modes

import (
	"cmp"
	"strconv"

	"fodc/actors/agent"
	"fodc/messages"
)

// Limits of what an endpoint may send. That of labels is what every proxy takes.
const (
	maxPageBytes   = 1 << 30
	maxPageSamples = 10_000_000
)

var (
	pageBytes    = span{1 << 10, maxPageBytes}
	pageSamples  = span{1, maxPageSamples}
	sampleLabels = span{1, messages.MaxSeriesLabels}
	labelBytes   = span{1, messages.MaxLabelTextBytes}
)

// limitOptions are the flags of what an endpoint may send.
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
