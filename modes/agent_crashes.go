package modes

import (
	"cmp"
	"path/filepath"

	"fodc/actors/agent"
)

// CrashConfig is where an agent finds out about crashes of its node.
type CrashConfig struct {
	// Dirs are the directories that the database writes crash artifacts to. Default none.
	Dirs []string
	// MaxArtifacts bounds the artifacts that are kept in mind, and the records of logs. Default 64.
	MaxArtifacts int
	// LogFiles are the node's logs, or its standard error. Default none.
	LogFiles []string
}

const (
	// maxCrashDirs and maxNodeLogs bound what an agent watches.
	maxCrashDirs = 16
	maxNodeLogs  = 16
	// crashRecordsName is the file in a storage directory that keeps what logs have told of crashes.
	crashRecordsName = "crash-records.jsonl"
)

// crashCount is as many as a proxy keeps of a node.
var crashCount = intRange{1, 256}

func crashOptions(c *CrashConfig) []*option {
	return []*option{
		listOption(&c.Dirs, "crash-source-dir",
			"`DIRECTORY` that the database writes its crash artifacts to; may be given several times"),
		intOption(&c.MaxArtifacts, "max-crash-artifacts", "64",
			"`NUMBER` of crash artifacts that are shown, and of crashes that logs tell of; the newest are", crashCount),
		listOption(&c.LogFiles, "node-log-file",
			"`FILE` with the node's log or standard error, in which crashes are found; may be given several times"),
	}
}

func (c CrashConfig) validate() error {
	return cmp.Or(
		checkPaths("crash-source-dir", c.Dirs, maxCrashDirs),
		crashCount.check("max-crash-artifacts", c.MaxArtifacts),
		checkPaths("node-log-file", c.LogFiles, maxNodeLogs),
	)
}

func checkPaths(flag string, paths []string, limit int) error {
	for _, p := range paths {
		if !isAbsolute(p) {
			return invalid(flag, p, pathAllowed)
		}
	}
	return checkDistinct(flag, paths, limit)
}

// isEmpty reports whether nothing is watched.
func (c CrashConfig) isEmpty() bool { return len(c.Dirs) == 0 && len(c.LogFiles) == 0 }

// actors returns where crashes are found out about; nil: nowhere. s is the storage directory; nil: there is none.
func (c CrashConfig) actors(s *storage) *agent.CrashConfig {
	if c.isEmpty() {
		return nil
	}
	cfg := &agent.CrashConfig{Dirs: c.Dirs, Logs: c.LogFiles, MaxArtifacts: c.MaxArtifacts}
	if s != nil {
		cfg.RecordsFile, cfg.Lock = filepath.Join(s.dir, crashRecordsName), s.lock.acquire
	}
	return cfg
}
