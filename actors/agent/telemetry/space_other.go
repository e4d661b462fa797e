//go:build !linux

package telemetry

// statDir says that this system is not read.
func statDir(string) (Space, error) { return Space{}, Supported() }
