// Package configfile reads configuration files: YAML whose keys are those of a list that the caller has, each with a
// scalar, a list or a mapping of scalars.
//
//   - configfile.go: Parse, and what it returns
//   - document.go: from bytes to one document of YAML, within limits
//   - value.go: what the value of a key may be, and what it is
//
// It knows no flag, and what a scalar must be beyond its type is not its matter. Problems name the line and the key.
// The package is pure: it opens no file.
package configfile
