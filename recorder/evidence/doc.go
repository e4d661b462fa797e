// Package evidence is the store of incidents, of an agent or a proxy: a directory for each, with the document
// incident.json and the files that it names.
//
//   - fs.go: FS, the file system as the store sees it; memory.go, memoryfile.go: one in memory, which is bounded
//   - limits.go: Limits, and the errors
//   - retention_state.go: the rules by which incidents are removed
//   - store.go: Store, its documents and its usage; open.go: how it begins
//   - put.go, delete.go: documents are written and removed; removed.go: which were, so that no agent brings them back
//   - writer.go, part.go: files are written, at one go or in several; files.go: they are read and removed
//   - names.go: the files of an incident, and what half-written ones are called
//   - room.go: room is made before anything is written
//
// The directory of an incident is ID/incident.json, and ID/nodes/... for the files. A file is written as
// NAME.tmp~, or as NAME.part~ if it may be gone on with, then synced, renamed, and its directory synced. The
// document is written last, in the same way, and names only files that came so far. It is removed first, and
// that synced, before a file goes that it names. So after a kill or a power cut each document names files that
// are there and whole. What has no document is removed at the next start.
//
// The limits hold before and after each operation of the file system: whoever writes reserves the bytes
// before, and incidents are removed for that if the rules allow it. Those that are open, pinned or being
// written stay; nothing is removed if that would not be enough. Evidence leaves a part of the bytes to
// documents, so that there is room for the document of what was just written.
//
// The free space of the file system is asked for at each new file, and again after each MiB, or an eighth of what
// may still be taken. Nothing is removed for free space that all of it together would not give.
//
// A disk that is full, read-only or gone is an error of the one operation, which names it and the file. The store
// goes on: what could not be removed is tried again by MakeRoom, and a directory that somebody has removed is made
// again. Documents that cannot be read are in the Report of Open, and stay until there is no room.
//
// In memory are the documents and the names of the files, at most Limits.MaxMemory: it is one of the limits for
// which incidents are removed. Files are written and read in pieces of at most what the caller passes, and of
// 64 KiB where the store reads itself.
//
// The package is pure: no clock, no log, no actor, and no file but through FS.
package evidence
