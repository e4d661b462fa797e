package agent

import (
	"context"
	"math"
	"path"
	"slices"
	"strings"
	"time"

	"fodc/actors"
	"fodc/actors/agent/capture"
	"fodc/messages"
)

const (
	// askTimeout bounds a question to another actor for a capture.
	askTimeout = time.Second
	// goroutineMetric says how many goroutines the node has.
	goroutineMetric = "go_goroutines"
)

// captureConfig says what is captured of an incident. Its functions are called by goroutines.
func (i *incidents) captureConfig(run *incidentRun, e *incidentEntry) capture.Config {
	c, a, doc := i.cfg.Capture, i.agent, e.doc
	switch {
	case e.profiles && doc.Kind == messages.IncidentContext:
		c.Profiles = capture.ContextProfiles
	case e.profiles:
		c.Profiles = capture.AllProfiles
	}
	c.From, c.Opened, c.Frozen = doc.From, doc.OpenedAt, run.frozen
	c.ScrapeTime, c.Goroutines, c.Actors = a.slowestScrape, a.nodeGoroutines, i.sys.Tree
	if a.rampStore != nil {
		c.Ramps = a.rampStore
	}
	if a.crashes != nil {
		c.Crashes = func(ctx context.Context) ([]*messages.Crash, error) {
			now, err := actors.Ask[crashSnapshot](ctx, i.sys, a.crashes, readCrashes{})
			return now.records, err
		}
	}
	if a.config != nil {
		c.NodeConfig = func(ctx context.Context) (*messages.NodeConfig, error) {
			checked, err := actors.Ask[configChecked](ctx, i.sys, a.config, checkConfig{})
			return checked.config, err
		}
	}
	node := doc.Nodes[0]
	c.Have = func(file string) bool {
		return slices.ContainsFunc(node.Files, func(f messages.EvidenceFile) bool { return f.Path == path.Join(node.Dir, file) }) ||
			slices.ContainsFunc(node.Missing, func(m messages.EvidenceMissing) bool { return strings.HasPrefix(m.Reason, file+" ") })
	}
	return c
}

// slowestScrape returns how long the newest scrape of the slowest endpoint took, and its timeout.
func (a *Agent) slowestScrape() (took, timeout time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	for _, pid := range a.scrapers {
		t, err := actors.Ask[messages.TargetHealth](ctx, a.sys, pid, readTarget{})
		if err == nil {
			took = max(took, time.Duration(t.DurationSeconds*float64(time.Second)))
		}
	}
	return took, a.scrapeTimeout
}

// nodeGoroutines returns how many goroutines the node has; 0: that is not known.
func (a *Agent) nodeGoroutines() (most float64) {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	taken, err := actors.Ask[snapshotTaken](ctx, a.sys, a.recorder, read{selection: messages.Selection{Names: []string{goroutineMetric}}})
	if err != nil {
		return 0
	}
	for _, block := range taken.snapshot.Next(math.MaxInt) {
		for f := range block.Each() {
			for n := range f.Series {
				for _, v := range f.At(n).Values {
					if !messages.IsGap(v) {
						most = max(most, v)
					}
				}
			}
		}
	}
	return most
}
