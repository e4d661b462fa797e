package telemetry

import (
	"slices"

	"github.com/prometheus/procfs"
)

// SpaceOf returns the space of the file system of a directory. It hangs while that does not answer.
func SpaceOf(dir string) (Space, error) { return statDir(dir) }

// Mount is a mounted file system.
type Mount struct{ Device, FSType, Point string }

// MountOf returns the mount that has an absolute path, as the files of a process say it.
func MountOf(p procfs.Proc, dir string) (Mount, error) {
	mounts, err := p.MountInfo()
	if err != nil {
		return Mount{}, err
	}
	m, err := mountOf(mounts, dir)
	return Mount{m.device, m.fsType, m.point}, err
}

// Groups returns the directories of the control groups of a process, each once: of version 2 there is one.
func Groups(fs procfs.FS, sys string, p procfs.Proc) (dirs []string, err error) {
	for _, controller := range []string{"memory", "cpu", "io", "blkio", "pids"} {
		g, e := cgroupOf(fs, sys, p, controller)
		if e != nil {
			err = firstOf(err, e)
			continue
		}
		if !slices.Contains(dirs, g.dir) {
			dirs = append(dirs, g.dir)
		}
	}
	if len(dirs) > 0 {
		err = nil
	}
	return dirs, err
}
