package telemetry

// Space is the space of the file system of a directory.
type Space struct {
	// Path is the directory without symbolic links.
	Path string
	// Device is the number of the device: different for each file system.
	Device uint64
	// Size, Free and Available are in bytes. Available is the free space for users other
	// than root.
	Size, Free, Available uint64
	// Files and FilesFree count inodes.
	Files, FilesFree uint64
	ReadOnly         bool
}
