//go:build unix

package modes

import "golang.org/x/sys/unix"

// writable returns an error unless this user may make files in the directory.
func writable(dir string) error { return unix.Access(dir, unix.W_OK|unix.X_OK) }
