//go:build !linux

package telemetry

// statDir returns an error: this system is not supported.
func statDir(string) (Space, error) { return Space{}, Supported() }
