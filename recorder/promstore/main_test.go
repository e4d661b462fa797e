package promstore

import (
	"flag"
	"os"
	"testing"
)

// TestMain lets rapid draw more cases than by default, unless the command line says how many: they
// are small.
func TestMain(m *testing.M) {
	_ = flag.Set("rapid.checks", "1000")
	os.Exit(m.Run())
}
