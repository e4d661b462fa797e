// Package journal is the window on disk: what the recorder has recorded, in segments, so that
// it survives the process.
//
//   - fs.go: the file system as the journal sees it
//   - config.go: what the journal must know, and its state
//
// The package is pure: no clock, no log, no actor, and no file but through FS.
package journal
