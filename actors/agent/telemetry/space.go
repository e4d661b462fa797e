package telemetry

// Space is what a file system has, as seen from one of its directories.
type Space struct {
	// Path is the directory without symbolic links.
	Path string
	// Device tells file systems apart.
	Device uint64
	// Size, Free and Available are in bytes; Available is what users other than root
	// may have.
	Size, Free, Available uint64
	// Files and FilesFree count inodes.
	Files, FilesFree uint64
	ReadOnly         bool
}
