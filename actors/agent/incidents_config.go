package agent

import (
	"context"
	"time"

	"fodc/actors/agent/capture"
	"fodc/actors/agent/rules"
	"fodc/recorder/evidence"
)

const (
	// memoryEvidenceBytes bounds the evidence of an agent that has no directory for it, or whose disk fails. It is a
	// part of what the recorder may have, and at most an eighth of that.
	memoryEvidenceBytes = 32 << 20
	memoryEvidenceShare = 8
	// memoryIncidents bounds the incidents in memory, memoryDocuments their documents in bytes.
	memoryIncidents = 50
	memoryDocuments = 4 << 20
)

// IncidentsConfig says when the agent has an incident, and what it keeps of one.
type IncidentsConfig struct {
	// Before is how much of the evidence lies before the first occurrence, After how much behind the last firing.
	Before, After time.Duration
	// CoolDown is how long a rule opens no other incident, MaxDuration how long one is open at most.
	CoolDown, MaxDuration time.Duration
	// Rules are those at the start. LoadRules reads them again, from RuleFiles, which are globs.
	Rules     *rules.Set
	RuleFiles []string
	LoadRules func() (*rules.Set, error)
	// FS is the directory of the evidence; nil: that is in memory. Dir is its name in logs. Lock takes the lock of
	// the directory before it is used. It may block as long as the disk does.
	FS   evidence.FS
	Dir  string
	Lock func() error
	// Limits bound what is on disk.
	Limits evidence.Limits
	// Capture says what is captured. What the agent itself knows is filled in.
	Capture capture.Config
	// Capturing is called when captures begin, at an opening or a freeze; it may be nil.
	Capturing func()

	// steps and endSteps are what is captured at the opening and at the end; nil is the real thing. Tests put their
	// own in its place.
	steps, endSteps func(c capture.Config) []capture.Step
}

func (c *IncidentsConfig) times() incidentTimes {
	return incidentTimes{before: c.Before, after: c.After, coolDown: c.CoolDown, maxDuration: c.MaxDuration}
}

// capturing tells whoever wants to know that captures begin.
func (c *IncidentsConfig) capturing() {
	if c.Capturing != nil {
		c.Capturing()
	}
}

// memoryBytes is how much memory the evidence may take where it is not on disk.
func (c *IncidentsConfig) memoryBytes(budget int64) int64 {
	return min(memoryEvidenceBytes, budget/memoryEvidenceShare)
}

// reserved is how much less the recorder may have.
func (c *IncidentsConfig) reserved(budget int64) int64 {
	if c == nil || c.FS != nil {
		return 0
	}
	return c.memoryBytes(budget)
}

// open opens the directory of the evidence, which may take as long as the disk does.
func (c *IncidentsConfig) open(context.Context) (*evidence.Store, evidence.Report, error) {
	if c.Lock != nil {
		if err := c.Lock(); err != nil {
			return nil, evidence.Report{}, err
		}
	}
	return evidence.Open(c.FS, c.Limits, time.Now())
}

// openMemory returns a store in memory.
func (c *IncidentsConfig) openMemory(budget int64) (*evidence.Store, error) {
	bytes := max(c.memoryBytes(budget), 1<<20)
	store, _, err := evidence.Open(evidence.NewMemory(bytes), evidence.Limits{MaxCount: memoryIncidents, MaxBytes: bytes, MaxMemory: memoryDocuments}, time.Now())
	return store, err
}
