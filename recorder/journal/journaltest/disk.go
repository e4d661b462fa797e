package journaltest

import (
	"maps"
	"math/rand/v2"
	"slices"

	"fodc/recorder/disktest"
	"fodc/recorder/journal"
)

// Disk is a journal.FS in memory: a directory without others in it.
type Disk struct{ *disktest.Disk }

// New returns a disk without files, of 1 TiB.
func New() *Disk { return &Disk{disktest.New()} }

// After is that of disktest.Disk.
func (d *Disk) After(c disktest.Crash, rng *rand.Rand) *Disk { return &Disk{d.Disk.After(c, rng)} }

// Copy is that of disktest.Disk.
func (d *Disk) Copy() *Disk { return &Disk{d.Disk.Copy()} }

// Files returns the files by name, without counting as an operation.
func (d *Disk) Files() []journal.FileInfo {
	sizes := d.Disk.Files()
	files := make([]journal.FileInfo, 0, len(sizes))
	for _, name := range slices.Sorted(maps.Keys(sizes)) {
		files = append(files, journal.FileInfo{Name: name, Size: sizes[name]})
	}
	return files
}

// Vanish removes files as somebody else would, all of them and the directory if none are named.
// Files that are open stay writable.
func (d *Disk) Vanish(names ...string) {
	if len(names) == 0 {
		names = []string{"."}
	}
	for _, name := range names {
		d.Disk.Vanish(name)
	}
}

// List implements journal.FS.
func (d *Disk) List() ([]journal.FileInfo, error) {
	entries, err := d.Disk.List(".")
	if err != nil {
		return nil, err
	}
	files := make([]journal.FileInfo, 0, len(entries))
	for _, e := range entries {
		files = append(files, journal.FileInfo{Name: e.Name, Size: e.Size})
	}
	return files, nil
}

// Create implements journal.FS.
func (d *Disk) Create(name string) (journal.File, error) {
	f, err := d.Disk.Create(name)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Open implements journal.FS.
func (d *Disk) Open(name string) (journal.ReadFile, error) {
	f, err := d.Disk.Open(name)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// SyncDir implements journal.FS.
func (d *Disk) SyncDir() error { return d.Disk.SyncDir(".") }
