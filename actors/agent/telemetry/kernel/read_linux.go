//go:build amd64 || arm64

package kernel

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cilium/ebpf"
)

// read reads all that the programs have counted.
func (l *loaded) read() (*counts, error) {
	c := &counts{}
	err := errors.Join(
		l.histograms("wait_times", func(i int) *Histogram { return &c.Waits[i] }, len(c.Waits)),
		l.histograms("reclaim_times", func(i int) *Histogram { return &c.Reclaim[i] }, len(c.Reclaim)),
		l.histograms("disk_times", func(i int) *Histogram { return &c.Disks[i/operations][i%operations] }, maxDevices*operations),
		l.histograms("sync_times", func(int) *Histogram { return &c.Sync }, 1),
		l.counters("disk_errors", func(i int) *uint64 { return &c.DiskErrors[i/operations][i%operations] }, maxDevices*operations),
		l.counters("writeback_errors", func(i int) *uint64 { return &c.WritebackErrors[i] }, maxDevices),
		l.counters("sync_errors", func(i int) *uint64 { return &c.SyncErrors[i] }, len(c.SyncErrors)),
		l.counters("lost", func(int) *uint64 { return &c.Lost }, 1),
		l.pages(c), l.peers(c))
	return c, err
}

// each looks up the entries of an array. Of one that has a value for each processor, it gets them all.
func each[T any](m *ebpf.Map, entries int, found func(i int, values []T)) error {
	perCPU := m.Type() == ebpf.PerCPUArray
	for i := range entries {
		var values []T
		var err error
		if perCPU {
			err = m.Lookup(uint32(i), &values)
		} else {
			values = make([]T, 1)
			err = m.Lookup(uint32(i), &values[0])
		}
		if err != nil {
			return fmt.Errorf("read what the programs have counted: %w", err)
		}
		found(i, values)
	}
	return nil
}

func (l *loaded) histograms(name string, into func(i int) *Histogram, entries int) error {
	return each(l.maps[name], entries, func(i int, perCPU []programsHistogram) {
		for _, h := range perCPU {
			into(i).add(Histogram{Sum: h.Sum, Slots: h.Slots})
		}
	})
}

func (l *loaded) counters(name string, into func(i int) *uint64, entries int) error {
	return each(l.maps[name], entries, func(i int, v []uint64) { *into(i) = v[0] })
}

func (l *loaded) pages(c *counts) error {
	return each(l.maps["page_cache"], len(c.Pages), func(i int, perCPU []uint64) {
		for _, n := range perCPU {
			c.Pages[i] += n
		}
	})
}

func (l *loaded) peers(c *counts) error {
	var address [16]byte
	var of programsPeer
	add := func(name string) {
		c.Peers = append(c.Peers, peerCounts{name, of.Retransmits, of.ResetsReceived, of.ResetsSent})
	}
	for all := l.maps["peers"].Iterate(); all.Next(&address, &of); {
		add(netip.AddrFrom16(address).Unmap().String())
	}
	slices.SortFunc(c.Peers, func(a, b peerCounts) int { return strings.Compare(a.Address, b.Address) })
	if err := l.maps["other_peers"].Lookup(uint32(0), &of); err != nil {
		return err
	}
	if of != (programsPeer{}) {
		add(otherPeerLabel)
	}
	return nil
}

// setDevices says to the programs which disks and file systems are those of the data directories. A number is never given to
// another device, so that what was counted stays that of the same one.
func (l *loaded) setDevices(d devices) error {
	var disks [maxDevices]uint32
	for i, disk := range d.disks {
		disks[i] = disk.number()
	}
	err := errors.Join(l.variables["disk_numbers"].Set(disks), l.variables["disk_count"].Set(uint32(len(d.disks))))
	for i, of := range d.fileSystems {
		err = errors.Join(err, l.maps["file_systems"].Put(of.number(), uint32(i)))
	}
	return err
}
