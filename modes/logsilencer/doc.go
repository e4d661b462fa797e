// Package logsilencer discards the standard library's log while the program is being
// initialised. The program does not know then how it shall log, and a library would write
// to stderr: the metrics library reports that a kernel has no pressure figures, even above
// a usage error or --version. Package modes redirects the standard log to the program's own
// log once that exists.
//
// The import is for its effect, and must come first: Go initialises packages that are ready
// in the order of their paths, and this one depends on nothing that such a library does not
// depend on as well.
package logsilencer

import (
	"io"
	"log"
)

func init() { log.SetOutput(io.Discard) }
