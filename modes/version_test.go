package modes

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDescribeBuild(t *testing.T) {
	f := func(want, release, module string, settings ...debug.BuildSetting) {
		t.Helper()
		info := &debug.BuildInfo{GoVersion: "go1.26.0", Main: debug.Module{Version: module}, Settings: settings}
		require.Equal(t, want, describeBuild(info, release).String())
	}
	revision := debug.BuildSetting{Key: "vcs.revision", Value: "abc"}
	f("v1.2.3 (revision abc, go1.26.0)", "v1.2.3", "v0.0.0-x", revision)
	f("v0.0.0-x (revision abc-dirty, go1.26.0)", "", "v0.0.0-x", revision, debug.BuildSetting{Key: "vcs.modified", Value: "true"})
	f("v0.0.0-x (revision abc, go1.26.0)", "", "v0.0.0-x", revision, debug.BuildSetting{Key: "vcs.modified", Value: "false"})
	f("devel (revision unknown, go1.26.0)", "", "(devel)")
	f("devel (revision unknown, go1.26.0)", "", "")
	require.Equal(t, "devel (revision unknown, unknown)", describeBuild(&debug.BuildInfo{}, "").String())
}
