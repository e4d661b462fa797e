package modes

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"fodc/actors/agent"
	"fodc/actors/agent/pressure"
	"fodc/modes/configfile"
	"fodc/recorder/journal/diskfs"

	"go.uber.org/zap"
)

// PressureConfig is how an agent captures profiles while its node is short of memory.
type PressureConfig struct {
	// Enabled: profiles are captured. Default true.
	Enabled bool
	// TriggerPercent of the node's memory limit is from when on. Default 75.
	TriggerPercent int
	// Cooldown is the least time between two captures. Default 5 m.
	Cooldown time.Duration
	// Dir is where they are kept. Default "": a folder of the storage directory. Without that, none are
	// captured: a directory for temporary files often is memory, of which the node is short.
	Dir string
	// MaxArtifacts and MaxDiskBytes bound what is kept. Defaults 16 and 512 MiB.
	MaxArtifacts int
	MaxDiskBytes int64
	// PprofPort is where the node shows its profiles, on loopback. Default 6060.
	PprofPort int
}

// pressureDirName is the folder of pressure profiles in a storage directory.
const pressureDirName = "pressure-profiles"

var (
	artifactCount = intRange{1, 1000}
	// diskBytes is wide enough for one profile of usual size, and for any number of them.
	diskBytes = bytesRange{1 << 20, 1 << 40}
)

func pressureOptions(c *PressureConfig) []*option {
	dir := textOption(&c.Dir, "pressure-profiler-dir", "", "`DIRECTORY` in which captured profiles are kept")
	dir.defaultText = pressureDirName + " in the storage directory; without one, no profiles are captured"
	return []*option{
		boolOption(&c.Enabled, "pressure-profiler-enabled", true,
			"capture heap and goroutine profiles of the node while it is short of memory; off with --pressure-profiler-enabled=false"),
		intOption(&c.TriggerPercent, "pressure-profiler-trigger-percent", "75",
			"`PERCENT` of its memory limit that the node's resident memory has when profiles are captured", percentRange),
		durationOption(&c.Cooldown, "pressure-profiler-cooldown", "5m", "`DURATION` between two captures at least"),
		dir,
		intOption(&c.MaxArtifacts, "pressure-profiler-max-artifacts", "16",
			"`NUMBER` of captures that are kept; of the others but the first, that with the lowest resident memory is removed", artifactCount),
		diskBytes.option(&c.MaxDiskBytes, "pressure-profiler-max-disk-bytes", "536870912", "`BYTES` that all captures may have"),
		pprofPortOption(&c.PprofPort),
	}
}

func pprofPortOption(to *int) *option {
	o := intOption(to, "pressure-profiler-pprof-port", "6060", "`PORT` of the node's profiles (net/http/pprof) on this host", portRange)
	o.defaultText = "6060; --pprof-endpoint, if only that is given"
	return o
}

func (c AgentConfig) checkPressure() error {
	p := c.Pressure
	if !p.Enabled {
		return nil
	}
	if !isText(p.Dir) {
		return invalid("pressure-profiler-dir", p.Dir, storageDirAllowed)
	}
	if p.Dir != "" && c.Storage.Dir != "" && absolute(p.Dir) == absolute(c.Storage.Dir) {
		return invalid("pressure-profiler-dir", p.Dir, "must differ from --storage-dir")
	}
	return cmp.Or(
		percentRange.check("pressure-profiler-trigger-percent", p.TriggerPercent),
		checkDuration("pressure-profiler-cooldown", p.Cooldown),
		artifactCount.check("pressure-profiler-max-artifacts", p.MaxArtifacts),
		diskBytes.check("pressure-profiler-max-disk-bytes", p.MaxDiskBytes),
		portRange.check("pressure-profiler-pprof-port", p.PprofPort),
	)
}

// absolute returns the absolute path of a directory, as far as there is one.
func absolute(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		return abs
	}
	return dir
}

// pressure returns when profiles are captured; nil: never. s is the storage directory; nil: there is none.
func (c AgentConfig) pressure(s *storage, log *zap.Logger) *agent.PressureConfig {
	p := c.Pressure
	if !p.Enabled {
		return nil
	}
	var dir string
	switch {
	case p.Dir != "":
		dir = absolute(p.Dir)
	case s != nil:
		dir = filepath.Join(s.dir, pressureDirName)
	default:
		log.Info("no profiles are captured when the node runs short of memory: --pressure-profiler-dir or --storage-dir names a directory to keep them in")
		return nil
	}
	lock := func() (pressure.Lock, error) { return lockDir(dir) }
	if p.Dir == "" {
		lock = func() (pressure.Lock, error) {
			if err := s.lock.acquire(); err != nil {
				return nil, err // Another process may have the storage directory by now.
			}
			return lockDir(dir)
		}
	}
	endpoint := ""
	if p.PprofPort == defaultPprofPort { // One flag of the two is enough.
		endpoint = c.pprofEndpoint()
	}
	return &agent.PressureConfig{
		Store: pressure.Config{Dir: dir, MaxArtifacts: p.MaxArtifacts, MaxBytes: p.MaxDiskBytes, Lock: lock,
			Space: diskfs.New(dir).Space, MinFree: c.Storage.MinFree},
		TriggerPercent: uint32(p.TriggerPercent), Cooldown: p.Cooldown, Endpoint: endpoint, PprofPort: p.PprofPort,
		NodePIDFile: c.NodePIDFile, NodeProcess: c.NodeProcess,
	}
}

// lockDir locks a directory, and makes it if need be.
func lockDir(dir string) (pressure.Lock, error) {
	held, err := diskfs.Lock(dir)
	if err != nil {
		return nil, err // not a nil *diskfs.Held in an interface
	}
	return held, nil
}

// bytesRange is the range of numbers of bytes that a flag may have, both ends included.
type bytesRange struct{ low, high int64 }

func (r bytesRange) allowed() string {
	return fmt.Sprintf("must be a whole number of bytes from %d to %d", r.low, r.high)
}

func (r bytesRange) check(flag string, n int64) error {
	if n < r.low || n > r.high {
		return invalid(flag, strconv.FormatInt(n, 10), "%s", r.allowed())
	}
	return nil
}

func (r bytesRange) option(dst *int64, name, def, usage string) *option {
	return &option{name: name, usage: usage, defaultValue: def, kind: configfile.Number, numbers: &[2]int64{r.low, r.high}, parse: func(texts []string) error {
		n, err := strconv.ParseInt(texts[0], 10, 64)
		if err != nil || r.check(name, n) != nil {
			return invalid(name, texts[0], "%s", r.allowed())
		}
		*dst = n
		return nil
	}}
}
