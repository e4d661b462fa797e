package capture

import (
	"context"
	"errors"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"fodc/messages"
)

// Extent is what the node is asked for.
type Extent int

// The extents. ContextProfiles are those of a node on which nothing has fired.
const (
	NoProfiles Extent = iota
	ContextProfiles
	AllProfiles
)

// Config says what is captured. What is nil or empty is not. No function is called by Plan, but by the steps.
type Config struct {
	Profiles Extent
	// Endpoint is the URL of the server that has the node's profiles. Without one it is port 6060 of the hosts
	// of Metrics, the URLs of the node's metrics, if something answers there.
	Endpoint string
	Metrics  []string
	// ScrapeTime returns how long the last scrape of the node took, failed or not, and its timeout: a node that takes
	// over half of that is not asked for what is expensive.
	ScrapeTime func() (took, timeout time.Duration)
	// Goroutines returns how many the node has; 0 is not known.
	Goroutines func() float64

	// Process finds the node's process: see nodeconfig.Process.
	Process func(now time.Time) (pid int, by string, err error)
	// Root is the directory that has proc and sys in it; empty is "/". DataDirs are absolute paths.
	Root     string
	DataDirs []string
	// KernelLog says whether the kernel's log is read.
	KernelLog bool
	client    *Client                                  // nil: a new one
	kernelLog func() (kernelRecords, time.Time, error) // nil: the real one
	// NodeLogs are the node's logs, absolute paths.
	NodeLogs []string
	// Crashes returns the records of the node's crashes; CrashDirs are where it writes its artifacts.
	Crashes   func(ctx context.Context) ([]*messages.Crash, error)
	CrashDirs []string
	// NodeConfig returns how the node is configured, masked; nil where nothing is known.
	NodeConfig func(ctx context.Context) (*messages.NodeConfig, error)
	// Actors returns the agent's actors.
	Actors func() messages.ActorTree
	// Ramps returns what was captured before, while the node's memory grew; see package ramps.
	Ramps RampSource

	// From is the begin of the evidence. What is older is left out: of crashes and ramp profiles.
	From time.Time
	// Opened is when the incident began: what the kernel has logged before is captured then.
	Opened time.Time
	// Frozen is closed when the incident is frozen: then the steps that follow logs end. nil: none are followed.
	Frozen <-chan struct{}
	// Have reports whether the incident has a file already, such as after a restart of the agent; nil: it has none.
	Have func(path string) bool
}

// Plan returns the steps for the opening of an incident, the most urgent ones first.
func Plan(c Config) []Step {
	names := newNames(kernelPath, kernelFrozenPath)
	return c.without(slices.Concat(
		c.profileSteps(),
		c.rampSteps(),
		c.processSteps(),
		c.logSteps(names),
		c.kernelSteps(kernelPath, time.Time{}),
		c.crashSteps(),
		c.agentSteps(),
	))
}

// PlanFreeze returns the steps for when the incident is frozen: what there was not when it opened.
func PlanFreeze(c Config) []Step {
	since := c.Opened
	if !c.has(kernelPath) {
		since = time.Time{}
	}
	return c.without(slices.Concat(c.kernelSteps(kernelFrozenPath, since), c.crashSteps(), c.rampSteps()))
}

// Late returns the steps of a plan for an incident that was over when the agent started again: what tells of the node at its
// opening cannot be had any more, and says so.
func Late(steps []Step) []Step {
	steps = slices.DeleteFunc(steps, func(s Step) bool { return s.Until != nil })
	for i := range steps {
		if s := &steps[i]; s.Heavy || s.What == messages.EvidenceProcess {
			s.Heavy, s.Parts, s.More, s.Ready = false, false, nil, nil
			s.Run = func(context.Context, io.Writer) error { return errLate }
		}
	}
	return steps
}

var errLate = errors.New("the agent had ended before, and the incident was over when it started again")

// What returns what a file is that a step of a plan has written, by its path; empty: there is no such step.
func What(file string) string {
	dir, name := path.Split(file)
	switch {
	case dir == "profiles/":
		kind, _, _ := strings.Cut(name[strings.LastIndex(name, "-")+1:], ".")
		return messages.EvidenceProfile + "/" + kind
	case dir == "process/":
		return messages.EvidenceProcess
	case file == kernelPath || file == kernelFrozenPath:
		return messages.EvidenceKernelLog
	case dir == "logs/":
		return messages.EvidenceNodeLog
	case strings.HasPrefix(dir, "crashes/"):
		return messages.EvidenceCrash
	case file == "config.json":
		return messages.EvidenceConfig
	case dir == "agent/":
		return messages.EvidenceAgent
	}
	return ""
}

// without leaves out the steps of files that there are.
func (c *Config) without(steps []Step) []Step {
	if c.Have == nil {
		return steps
	}
	return slices.DeleteFunc(steps, func(s Step) bool { return s.Run != nil && c.Have(s.Path) })
}
