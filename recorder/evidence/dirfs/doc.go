// Package dirfs is the real file system, as the store of incidents sees it: one directory, and no link leads
// out of it.
//
//   - fs.go: FS, an evidence.FS; file.go: its open files
package dirfs
