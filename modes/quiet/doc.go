// Package quiet keeps libraries from writing to stderr while the program is being
// initialised, when it does not yet know how it shall log: the metrics library
// reports there that a kernel has no pressure figures, also above a one-line
// error and above --version. Package modes gives the standard log back, as a part
// of its own log, once that is set up.
//
// Go initialises packages that are ready in the order of their paths, and this one
// needs nothing but what those libraries need as well: it is imported for its
// effect, and comes first.
package quiet

import (
	"io"
	"log"
)

func init() { log.SetOutput(io.Discard) }
