package rules

import (
	"os"
	"runtime/debug"
	"testing"
)

// TestMain collects garbage less often than a program would: these tests make much of it and keep little, and a third of
// their time was spent on it.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}
