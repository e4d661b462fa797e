package telemetry

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
)

// Supported returns an error that wraps errors.ErrUnsupported and names the system, if its
// files cannot be read. A Root other than "/" can be read on any system.
func (c Config) Supported() error {
	if c.Root != "" {
		return nil
	}
	return supports(cmp.Or(c.System, runtime.GOOS))
}

// Supported is Config.Supported for the system that this process runs on.
func Supported() error { return supports(runtime.GOOS) }

func supports(system string) error {
	if system == "linux" {
		return nil
	}
	return fmt.Errorf("the host and its processes are read from the /proc of Linux, and this system is %s: %w", system, errors.ErrUnsupported)
}
