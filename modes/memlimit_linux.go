package modes

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// memoryLimit is described in memlimit.go. The source is a file.
func memoryLimit() (bytes int64, source string, err error) { return memoryLimitUnder("/") }

// memoryLimitUnder returns the lowest limit of the process's cgroup (version 2 or 1) and
// those above it, else the machine's memory. root is "/", but for tests.
func memoryLimitUnder(root string) (bytes int64, source string, err error) {
	return memoryLimitOf(func(name string) (string, bool) {
		text, err := os.ReadFile(filepath.Join(root, name))
		return string(text), err == nil
	})
}

// memoryLimitOf is memoryLimitUnder over the contents of files.
func memoryLimitOf(read func(name string) (text string, ok bool)) (bytes int64, source string, err error) {
	machine, machineErr := machineMemory(read)
	bytes, source = cgroupLimit(read)
	switch {
	case source != "" && (machineErr != nil || bytes < machine):
		return bytes, source, nil
	case machineErr == nil:
		return machine, "/proc/meminfo", nil
	default:
		return 0, "", machineErr
	}
}

// cgroupLimit returns the lowest limit, and an empty source if there is none.
func cgroupLimit(read func(string) (string, bool)) (lowest int64, source string) {
	for _, c := range memoryCgroups(read) {
		// In a container the path may be the host's: then only the root of the mount is
		// there, which is the container's own group.
		for dir := path.Clean("/" + c.dir); ; dir = path.Dir(dir) {
			name := path.Join(c.mount, dir, c.file)
			if text, ok := read(name); ok {
				limit, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
				if err == nil && limit > 0 && (source == "" || limit < lowest) {
					lowest, source = limit, name
				}
			}
			if dir == "/" {
				break
			}
		}
	}
	return lowest, source
}

// cgroup says where the memory limits of the process may stand.
type cgroup struct{ mount, dir, file string }

func memoryCgroups(read func(string) (string, bool)) []cgroup {
	v2 := cgroup{"/sys/fs/cgroup", "/", "memory.max"}
	v1 := cgroup{"/sys/fs/cgroup/memory", "/", "memory.limit_in_bytes"}
	text, _ := read("/proc/self/cgroup")
	for line := range strings.Lines(text) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3) // id:controllers:path
		if len(fields) != 3 {
			continue
		}
		if fields[1] == "" {
			v2.dir = fields[2]
		}
		for controller := range strings.SplitSeq(fields[1], ",") {
			if controller == "memory" {
				v1.dir = fields[2]
			}
		}
	}
	return []cgroup{v2, v1}
}

func machineMemory(read func(string) (string, bool)) (int64, error) {
	text, ok := read("/proc/meminfo")
	if !ok {
		return 0, errors.New("/proc/meminfo cannot be read")
	}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) >= 2 && fields[0] == "MemTotal:" {
			kib, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil || kib <= 0 || kib > 1<<50 {
				return 0, fmt.Errorf("/proc/meminfo says MemTotal %.100q", fields[1])
			}
			return kib << 10, nil
		}
	}
	return 0, errors.New("/proc/meminfo has no MemTotal")
}
