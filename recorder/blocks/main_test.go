package blocks

import (
	"flag"
	"os"
	"testing"
)

// TestMain lets rapid draw fewer cases than by default, unless the command line says how many:
// each of them makes databases on disk.
func TestMain(m *testing.M) {
	_ = flag.Set("rapid.checks", "20")
	os.Exit(m.Run())
}
