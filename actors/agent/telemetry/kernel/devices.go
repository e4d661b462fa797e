package kernel

// device is a block device, or what a file system has instead of one.
type device struct {
	major, minor uint32
	name         string
}

// number is the device's number as the kernel has it.
func (d device) number() uint32 { return d.major<<20 | d.minor }

// devices are the disks and the file systems of the data directories. The kernel's programs know them by their places here.
type devices struct{ disks, fileSystems []device }

// add adds those of the other that are not there yet, as far as there is room. It reports whether there was one.
func (d *devices) add(more devices) (changed bool) {
	add := func(to *[]device, of []device) {
		for _, n := range of {
			known := false
			for _, old := range *to {
				known = known || old.number() == n.number()
			}
			if !known && len(*to) < maxDevices {
				*to = append(*to, n)
				changed = true
			}
		}
	}
	add(&d.disks, more.disks)
	add(&d.fileSystems, more.fileSystems)
	return changed
}
