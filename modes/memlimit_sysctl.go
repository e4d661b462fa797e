//go:build darwin || freebsd

package modes

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// memoryLimit is described in memlimit.go.
func memoryLimit() (bytes int64, source string, err error) {
	name := map[string]string{"darwin": "hw.memsize", "freebsd": "hw.physmem"}[runtime.GOOS]
	source = "sysctl " + name
	n, err := unix.SysctlUint64(name)
	if err != nil {
		return 0, source, fmt.Errorf("%s: %w", source, err)
	}
	return int64(n), source, nil
}
