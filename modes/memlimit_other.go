//go:build !linux && !darwin && !freebsd && !windows

package modes

import (
	"fmt"
	"runtime"
)

// memoryLimit is described in memlimit.go.
func memoryLimit() (bytes int64, source string, err error) {
	return 0, "", fmt.Errorf("is not known on %s", runtime.GOOS)
}
