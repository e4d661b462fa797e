package telemetry

import (
	"errors"
	"io/fs"
	"sync/atomic"
	"time"

	"fodc/messages"

	"github.com/prometheus/procfs"
)

// dataDir reads the file system of a directory.
type dataDir struct {
	proc, dir string
	stat      func(string) (Space, error)

	// mount is the last known mount of the directory. Fallback uses it while a read hangs.
	mount atomic.Pointer[mount]
	// found is the same mount, once the directory was read without symbolic links. Other sources use it.
	found atomic.Pointer[mount]
	// of is the location for which mount was looked up. It is looked up again only when
	// this changes, since the list of mounts may be long.
	of location
}

type location struct {
	path   string
	device uint64
}

func newDataDir(proc, dir string, stat func(string) (Space, error)) *dataDir {
	return &dataDir{proc: proc, dir: dir, stat: stat}
}

// source returns the source that reads the directory.
func (d *dataDir) source() *Source {
	name := "data directory " + d.dir
	return &Source{
		name: name,
		read: func(time.Time) Result {
			r := collect([]collector{{name, d.read}})
			r.DedupKey = d.dedupKey()
			return r
		},
		fallback: func() Result {
			var r samples
			d.addError(&r, true)
			return Result{Samples: r.list, DedupKey: d.dedupKey()}
		},
	}
}

func (d *dataDir) read(r *samples) error {
	if d.mount.Load() == nil {
		// Look up the mount by path first, so that it is known if stat hangs.
		if err := d.find(d.dir); err != nil {
			return err
		}
	}
	space, err := d.stat(d.dir)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			d.addError(r, true)
		}
		return err
	}
	if here := (location{space.Path, space.Device}); d.of != here {
		if err := d.find(space.Path); err != nil {
			return err
		}
		d.of = here
	}
	d.found.Store(d.mount.Load())
	d.addSpace(r, space)
	d.addError(r, false)
	return nil
}

// find looks up the mount of a path.
func (d *dataDir) find(path string) error {
	fs, err := procfs.NewFS(d.proc)
	if err != nil {
		return err
	}
	mounts, err := fs.GetMounts()
	if err != nil {
		return err
	}
	m, err := mountOf(mounts, path)
	if err != nil {
		return err
	}
	d.mount.Store(&m)
	return nil
}

// dedupKey is the mount point: two directories on one mount give the same samples.
func (d *dataDir) dedupKey() string {
	if m := d.mount.Load(); m != nil {
		return m.point
	}
	return ""
}

// labels returns nil as long as no mount is known.
func (d *dataDir) labels() []messages.Label {
	m := d.mount.Load()
	if m == nil {
		return nil
	}
	return []messages.Label{{Name: "device", Value: m.device}, {Name: "fstype", Value: m.fsType}, {Name: "mountpoint", Value: m.point}}
}

func (d *dataDir) addSpace(r *samples, s Space) {
	labels := d.labels()
	r.gauge("node_filesystem_size_bytes", "Size of the file system.", float64(s.Size), labels...)
	r.gauge("node_filesystem_free_bytes", "Free space of the file system.", float64(s.Free), labels...)
	r.gauge("node_filesystem_avail_bytes", "Free space of the file system for users other than root.", float64(s.Available), labels...)
	r.gauge("node_filesystem_files", "Inodes of the file system.", float64(s.Files), labels...)
	r.gauge("node_filesystem_files_free", "Free inodes of the file system.", float64(s.FilesFree), labels...)
	r.gauge("node_filesystem_readonly", "Whether the file system is mounted read-only.", boolValue(s.ReadOnly), labels...)
}

func (d *dataDir) addError(r *samples, failed bool) {
	if labels := d.labels(); labels != nil {
		r.gauge("node_filesystem_device_error", "Whether the space of the file system could not be read.", boolValue(failed), labels...)
	}
}

func boolValue(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
