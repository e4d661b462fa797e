package telemetry

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// readOnlyFlag is the bit that statfs sets for a file system mounted read-only.
const readOnlyFlag = 1

// statDir reads the space of a directory's file system. It hangs while the file system does
// not answer.
func statDir(dir string) (Space, error) {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return Space{}, err
	}
	info, err := os.Stat(real)
	if err != nil {
		return Space{}, err
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(real, &fs); err != nil {
		return Space{}, fmt.Errorf("statfs %s: %w", real, err)
	}
	block := uint64(fs.Bsize)
	s := Space{Path: real, Size: fs.Blocks * block, Free: fs.Bfree * block, Available: fs.Bavail * block,
		Files: fs.Files, FilesFree: fs.Ffree, ReadOnly: fs.Flags&readOnlyFlag != 0}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		s.Device = stat.Dev
	}
	return s, nil
}
