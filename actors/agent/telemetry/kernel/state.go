package kernel

// maxDevices bounds the disks and the file systems of the data directories. The kernel's programs have the same bound.
const maxDevices = 8

// Operations of disks, as the kernel's programs number them.
const operations = 4

var operationNames = [operations]string{"read", "write", "flush", "discard"}

// counts is all that the programs have counted since they were started.
type counts struct {
	Waits           [3]Histogram // disk, processor, other
	Reclaim         [2]Histogram // direct, cgroup
	Disks           [maxDevices][operations]Histogram
	DiskErrors      [maxDevices][operations]uint64
	WritebackErrors [maxDevices]uint64
	Sync            Histogram
	SyncErrors      [4]uint64 // EIO, ENOSPC, EDQUOT, other
	Pages           [4]uint64 // added by the node, added by the kernel, removed by the node, removed by the kernel
	Peers           []peerCounts
	Lost            uint64
}

// peerCounts are the counts of one other end of TCP connections. The address "other" has those for which there was no room.
type peerCounts struct {
	Address                    string
	Retransmits                uint64
	ResetsReceived, ResetsSent uint64
}
