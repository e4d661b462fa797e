package evidencetest

import (
	"math/rand/v2"

	"fodc/recorder/disktest"
	"fodc/recorder/evidence"
)

// Ops are the operations of an evidence.FS and of its files.
var Ops = []disktest.Op{disktest.List, disktest.Mkdir, disktest.Create, disktest.Append, disktest.Open, disktest.Rename, disktest.Remove,
	disktest.SyncDir, disktest.Space, disktest.Write, disktest.Sync, disktest.Close, disktest.Read, disktest.Size}

// Disk is an evidence.FS in memory.
type Disk struct{ *disktest.Disk }

// New returns an empty disk of one TiB.
func New() *Disk { return &Disk{disktest.New()} }

// After is that of disktest.Disk.
func (d *Disk) After(c disktest.Crash, rng *rand.Rand) *Disk { return &Disk{d.Disk.After(c, rng)} }

// List implements evidence.FS.
func (d *Disk) List(dir string) (list []evidence.Entry, err error) {
	entries, err := d.Disk.List(dir)
	for _, e := range entries {
		list = append(list, evidence.Entry(e))
	}
	return list, err
}

// Create implements evidence.FS.
func (d *Disk) Create(name string) (evidence.WriteFile, error) {
	f, err := d.Disk.Create(name)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Append implements evidence.FS.
func (d *Disk) Append(name string) (evidence.WriteFile, error) {
	f, err := d.Disk.Append(name)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Open implements evidence.FS.
func (d *Disk) Open(name string) (evidence.ReadFile, error) {
	f, err := d.Disk.Open(name)
	if err != nil {
		return nil, err
	}
	return f, nil
}
