//go:build !unix

package modes

import "os"

// ignoredSignals are none: other systems do not have them.
func ignoredSignals() []os.Signal { return nil }
