package modes

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/units"
	"github.com/prometheus/common/model"
)

// StorageConfig is where and how an agent keeps on disk what it has recorded.
type StorageConfig struct {
	// Dir is the directory. Default: none for an agent, which then keeps everything in memory
	// alone, and "fodc-data" for standalone mode.
	Dir string
	// RetentionTime is how long samples are kept at least, if RetentionBytes allows. Default
	// 72 h.
	RetentionTime time.Duration
	// RetentionBytes bounds the files of the journal. Default 512 MiB.
	RetentionBytes int64
	// SyncInterval is the time of samples that a power cut may cost. Default 10 s.
	SyncInterval time.Duration
	// MinFree is the part of the file system, 0 to 1, that the agent leaves free. Default
	// 0.05.
	MinFree float64
}

// standaloneDir is the storage directory of standalone mode, in the working directory.
const standaloneDir = "fodc-data"

const (
	year = 365 * 24 * time.Hour
	// maxMinFree bounds MinFree: with more than half of a disk to be left free, the journal
	// would pause on most of them.
	maxMinFree = 0.5
)

// What the storage may be set to. Retention goes by whole segments, of at most two hours and
// at most a sixteenth of the size: less than this would keep next to nothing.
var (
	retentionTime = durationRange{time.Minute, 10 * year, "such as 72h, 3d or 2w"}
	retentionSize = sizeRange{16 * units.MiB, units.PiB}
	syncInterval  = durationRange{100 * time.Millisecond, 10 * time.Minute, "such as 10s"}
)

const storageDirAllowed = "must be the path of a directory, one line of at most 4096 bytes, in UTF-8"

// storageOptions are the flags of the storage. They take the units of Prometheus.
func storageOptions(c *StorageConfig) []*option {
	dir := textOption(&c.Dir, "storage-dir", "",
		"`DIRECTORY` in which the recorded samples are kept, so that they survive the process; empty: in memory only")
	dir.defaultText = "none, in memory only"
	return []*option{
		dir,
		retentionTime.option(&c.RetentionTime, "storage-retention-time", "72h",
			"`DURATION` for which samples are kept in the storage directory"),
		retentionSize.option(&c.RetentionBytes, "storage-retention-size", "512MiB",
			"`SIZE` that all files of samples may have; the oldest are removed; units: B, KiB, MiB, GiB, TiB (KB and so on are the same)"),
		syncInterval.option(&c.SyncInterval, "storage-sync-interval", "10s",
			"`DURATION` of samples that a power cut may cost; a process that is killed loses none"),
		percentageOption(&c.MinFree, "storage-min-free", "5%",
			"`PERCENTAGE` of the file system that is left free: below it, the oldest files of samples are removed, then writing pauses"),
	}
}

func checkStorageDir(dir string) error {
	if !isText(dir) {
		return invalid("storage-dir", dir, storageDirAllowed)
	}
	return nil
}

func (c StorageConfig) validate() error {
	return cmp.Or(
		checkStorageDir(c.Dir),
		retentionTime.check("storage-retention-time", c.RetentionTime),
		retentionSize.check("storage-retention-size", c.RetentionBytes),
		syncInterval.check("storage-sync-interval", c.SyncInterval),
		checkMinFree("storage-min-free", c.MinFree),
	)
}

// durationRange is the range of durations that a flag may have, both ends included.
type durationRange struct {
	low, high time.Duration
	examples  string
}

func (r durationRange) allowed() string {
	return fmt.Sprintf("must be a duration from %s to %s, %s", model.Duration(r.low), model.Duration(r.high), r.examples)
}

func (r durationRange) check(flag string, d time.Duration) error {
	if d < r.low || d > r.high {
		return invalid(flag, d.String(), "%s", r.allowed())
	}
	return nil
}

func (r durationRange) option(dst *time.Duration, name, def, usage string) *option {
	return &option{name: name, usage: usage, defaultValue: def, pattern: longDurationPattern, parse: func(texts []string) error {
		d, err := parseDuration(texts[0])
		if err != nil {
			return invalid(name, texts[0], "%s", r.allowed())
		}
		*dst = d
		return r.check(name, d)
	}}
}

// parseDuration accepts the durations of Prometheus, with days, weeks and years, and those of
// Go.
func parseDuration(text string) (time.Duration, error) {
	if d, err := model.ParseDuration(text); err == nil {
		return time.Duration(d), nil
	}
	return time.ParseDuration(text)
}

// sizeRange is the range of sizes that a flag may have, both ends included.
type sizeRange struct{ low, high units.Base2Bytes }

func (r sizeRange) allowed() string {
	return fmt.Sprintf("must be a size from %s to %s, such as 512MiB or 2GiB", r.low, r.high)
}

func (r sizeRange) check(flag string, size int64) error {
	if size < int64(r.low) || size > int64(r.high) {
		return invalid(flag, units.Base2Bytes(size).String(), "%s", r.allowed())
	}
	return nil
}

func (r sizeRange) option(dst *int64, name, def, usage string) *option {
	return &option{name: name, usage: usage, defaultValue: def, pattern: sizePattern, parse: func(texts []string) error {
		size, err := units.ParseBase2Bytes(texts[0])
		if err != nil {
			return invalid(name, texts[0], "%s", r.allowed())
		}
		*dst = int64(size)
		return r.check(name, *dst)
	}}
}

func checkMinFree(flag string, part float64) error {
	// A NaN is in no range.
	if !(part >= 0 && part <= maxMinFree) {
		return invalid(flag, strconv.FormatFloat(100*part, 'g', -1, 64)+"%", "must be a percentage from 0%% to %g%%, such as 5%%", 100*maxMinFree)
	}
	return nil
}

// percentageOption is for a part of 0 to maxMinFree, which is written in percent.
func percentageOption(dst *float64, name, def, usage string) *option {
	return &option{name: name, usage: usage, defaultValue: def, pattern: percentagePattern, parse: func(texts []string) error {
		number, found := strings.CutSuffix(texts[0], "%")
		percent, err := strconv.ParseFloat(number, 64)
		if !found || err != nil {
			percent = math.NaN()
		}
		*dst = percent / 100
		if checkMinFree(name, *dst) != nil {
			return invalid(name, texts[0], "must be a percentage from 0%% to %g%%, such as 5%%", 100*maxMinFree)
		}
		return nil
	}}
}
