package telemetry

import (
	"errors"
	"math"
	"path/filepath"

	"github.com/prometheus/procfs"
)

// ProcessMemory returns the resident memory of a process, and how much it may use: the lowest limit
// of its control group and of those above it, as far as the agent can see them, else the memory of the
// host. A limit of 0 is not known.
func ProcessMemory(fs procfs.FS, sys string, p procfs.Proc) (resident, limit uint64, err error) {
	stat, err := p.Stat()
	if err != nil {
		return 0, 0, err
	}
	limit, err = HostMemory(fs)
	if err != nil {
		limit = math.MaxUint64
	}
	limit = min(limit, groupLimit(fs, sys, p))
	if limit == math.MaxUint64 {
		limit = 0
	}
	return uint64(max(stat.ResidentMemory(), 0)), limit, nil
}

// HostMemory returns the memory of the host.
func HostMemory(fs procfs.FS) (uint64, error) {
	info, err := fs.Meminfo()
	if err != nil {
		return 0, err
	}
	if info.MemTotalBytes == nil {
		return 0, errors.New("meminfo has no MemTotal")
	}
	return *info.MemTotalBytes, nil
}

// groupLimit returns the lowest memory limit of a process's group and of those above it. Where
// there is none, or none can be seen, that is the highest number.
func groupLimit(fs procfs.FS, sys string, p procfs.Proc) uint64 {
	lowest := uint64(math.MaxUint64)
	g, err := cgroupOf(fs, sys, p, "memory")
	if err != nil {
		return lowest
	}
	file := "memory.max"
	if !g.v2 {
		file = "memory.limit_in_bytes"
	}
	top := mountOfCgroups(sys, "memory", g.v2)
	for dir := g.dir; ; dir = filepath.Dir(dir) {
		if n, limited, err := readNumber(dir, file); err == nil && limited && 0 < n && n < noLimit {
			lowest = min(lowest, n)
		}
		if dir == top || dir == filepath.Dir(dir) {
			return lowest
		}
	}
}
