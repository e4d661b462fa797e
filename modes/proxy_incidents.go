package modes

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"fodc/actors/proxy"
	"fodc/recorder/blocks"
	"fodc/recorder/evidence"
	"fodc/recorder/evidence/dirfs"
	"fodc/recorder/journal"
	"fodc/recorder/journal/diskfs"
)

// ProxyIncidentsConfig is what a proxy keeps of incidents.
type ProxyIncidentsConfig struct {
	// MaxNodes bounds the nodes that keep their evidence beside that of a node with a problem. Default 50.
	MaxNodes int
	// MaxCount and RetentionBytes bound what is kept. Defaults 200 and 5 GiB.
	MaxCount       int
	RetentionBytes int64
	// KeepLast is how much of the newest samples of all nodes is kept on disk. Default 0: nothing.
	KeepLast time.Duration
	// AllowRemoteActions: not only this machine may change incidents. Default false.
	AllowRemoteActions bool

	// Before, After and MaxDuration are those of AgentIncidentsConfig, for what the proxy alone sees, and for how long nodes are
	// in the same incident; zeros are the defaults. In standalone mode they are the agent's.
	Before, After, MaxDuration time.Duration

	// off is of the agent of standalone mode.
	off bool
}

const (
	// keptDirName is the folder of the newest samples of nodes in a storage directory.
	keptDirName = "last"
	// proxyMinFree is the part of the file system that a proxy leaves free.
	proxyMinFree = 0.05
	// memoryIncidentBytes bounds the documents of a proxy without a storage directory.
	memoryIncidentBytes = 64 << 20
)

var (
	incidentNodes = intRange{1, 199}
	keepLast      = durationRange{0, time.Hour, "such as 10m"}
)

// proxyIncidentOptions are the flags of a proxy's incidents, which standalone mode has, too.
func proxyIncidentOptions(c *ProxyIncidentsConfig) []*option {
	return []*option{
		intOption(&c.MaxNodes, "incident-max-nodes", "50",
			"`NUMBER` of nodes that keep their evidence of the same time beside that of a node with a problem", incidentNodes),
		intOption(&c.MaxCount, "incident-max-count", defaultIncidentCount,
			"`NUMBER` of incidents that are kept; the oldest are removed, but pinned ones and, as long as possible, the first one of each rule", incidentCount),
		incidentSize.option(&c.RetentionBytes, "incident-retention-size", "5GiB", "`SIZE` that the evidence of all incidents may have in the storage directory"),
		keepLast.option(&c.KeepLast, "keep-last", "0s",
			"`DURATION` of the newest samples of all nodes that is kept in the storage directory, as evidence of a host that never comes back; 0s: nothing is kept"),
		boolOption(&c.AllowRemoteActions, "allow-remote-actions", false, "let other machines than this one open, pin and delete incidents over HTTP, too"),
	}
}

// proxyIncidentTimes are the flags of times, which standalone mode has of its agent.
func proxyIncidentTimes(c *ProxyIncidentsConfig) []*option {
	return []*option{
		incidentBefore.option(&c.Before, "incident-before", "10m", "`DURATION` of the evidence of an incident ahead of the first occurrence, where the proxy is the first to see it"),
		incidentAfter.option(&c.After, "incident-after", "2m", "`DURATION` behind the last firing for which a node that fires joins the incident"),
		incidentDuration.option(&c.MaxDuration, "incident-max-duration", "15m", "`DURATION` for which an incident is open at most"),
	}
}

// validateTimes is of a proxy alone.
func (c ProxyIncidentsConfig) validateTimes() error {
	if err := cmp.Or(
		incidentBefore.check("incident-before", c.Before),
		incidentAfter.check("incident-after", c.After),
		incidentDuration.check("incident-max-duration", c.MaxDuration),
	); err != nil {
		return err
	}
	return checkIncidentTimes(c.After, c.MaxDuration)
}

func (c ProxyIncidentsConfig) validate() error {
	return cmp.Or(
		incidentNodes.check("incident-max-nodes", c.MaxNodes),
		incidentCount.check("incident-max-count", c.MaxCount),
		incidentSize.check("incident-retention-size", c.RetentionBytes),
		keepLast.check("keep-last", c.KeepLast),
	)
}

// checkKeepLast needs a directory for what is kept.
func (c ProxyIncidentsConfig) checkKeepLast(dir string) error {
	if c.KeepLast > 0 && dir == "" {
		return invalid("keep-last", c.KeepLast.String(), "needs a directory: --storage-dir")
	}
	return nil
}

// follow takes what standalone mode has of its agent.
func (c *ProxyIncidentsConfig) follow(a AgentIncidentsConfig) {
	c.off, c.Before, c.After, c.MaxDuration = !a.Enabled, a.Before, a.After, a.MaxDuration
}

// incidents returns what a proxy does about incidents; nil: nothing.
func (s *storage) incidents(c ProxyIncidentsConfig) *proxy.IncidentsConfig {
	if c.off {
		return nil
	}
	cfg := &proxy.IncidentsConfig{OnDisk: s != nil, MaxNodes: c.MaxNodes, MaxCount: c.MaxCount, Before: c.Before, After: c.After, MaxDuration: c.MaxDuration}
	cfg.Open = func(now time.Time) (*evidence.Store, evidence.Report, error) {
		if s == nil {
			return evidence.Open(evidence.NewMemory(memoryIncidentBytes), evidence.Limits{MaxCount: c.MaxCount, MaxBytes: memoryIncidentBytes, FilesElsewhere: true}, now)
		}
		if err := s.lock.acquire(); err != nil {
			return nil, evidence.Report{}, err
		}
		if err := os.RemoveAll(filepath.Join(s.dir, temporaryDirName)); err != nil {
			return nil, evidence.Report{}, err
		}
		limits := evidence.Limits{MaxCount: c.MaxCount, MaxBytes: c.RetentionBytes, MinFree: proxyMinFree}
		return evidence.Open(lockedEvidence{dirfs.New(filepath.Join(s.dir, incidentsDirName)), &s.lock}, limits, now)
	}
	return cfg
}

// lockedEvidence takes the lock of a directory that was removed before it is made again.
type lockedEvidence struct {
	evidence.FS
	lock *storageLock
}

// Mkdir implements evidence.FS.
func (f lockedEvidence) Mkdir(dir string) error {
	if err := f.lock.acquire(); err != nil {
		return err
	}
	return f.FS.Mkdir(dir)
}

// evidence returns how a proxy keeps the evidence of incidents; nil: it does not.
func (s *storage) evidence(c ProxyIncidentsConfig) *proxy.EvidenceConfig {
	if s == nil || c.off {
		return nil
	}
	cfg := &proxy.EvidenceConfig{Blocks: blocksIn(s.dir)}
	if c.KeepLast > 0 {
		cfg.KeepLast = s.keepLast(c.KeepLast)
	}
	return cfg
}

// blocksIn returns what makes blocks of samples. Meanwhile they are in a folder of dir.
func blocksIn(dir string) proxy.BlocksOf {
	return func(ctx context.Context, w proxy.SampleWindow, put func(path string, content io.Reader) error) (int, error) {
		temporary := filepath.Join(dir, temporaryDirName)
		if err := os.MkdirAll(temporary, 0o700); err != nil {
			return 0, err
		}
		counts, err := blocks.JournalFiles(ctx, w.View, w.Files, blocks.JournalOptions{Identity: w.Identity, ClockOffset: w.ClockOffset, From: w.From, To: w.To},
			w.Seed, temporary, put)
		return counts.Samples, err
	}
}

// temporaryDirName is the folder of what is needed for a while. A proxy removes it when it starts.
const temporaryDirName = "temporary"

// keepLast returns where the newest samples of nodes are kept.
func (s *storage) keepLast(d time.Duration) *proxy.KeepLastConfig {
	dir := filepath.Join(s.dir, keptDirName)
	return &proxy.KeepLastConfig{Time: d, MinFree: proxyMinFree,
		Dir: func(name string) journal.FS { return lockedFS{diskfs.New(filepath.Join(dir, name)), &s.lock} },
		List: func() ([]string, error) {
			list, err := os.ReadDir(dir)
			if err != nil && !os.IsNotExist(err) {
				return nil, err
			}
			var names []string
			for _, entry := range list {
				if entry.IsDir() {
					names = append(names, entry.Name())
				}
			}
			return names, nil
		},
		Remove: func(name string) error {
			if name != filepath.Base(name) {
				return fmt.Errorf("remove %q: not the name of a directory", name)
			}
			return os.RemoveAll(filepath.Join(dir, name))
		},
	}
}
