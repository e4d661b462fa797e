package modes

import (
	"cmp"
	"fmt"
	"runtime/debug"
)

// release is the version of a release build, set by
//
//	go build -ldflags "-X fodc/modes.release=v1.2.3"
var release string

const unknown = "unknown"

// buildInfo is what is known of how a program was built.
type buildInfo struct {
	// version is the release, else the version that the go command derived from
	// the repository, else "devel".
	version string
	// revision is the commit, with "-dirty" behind it if it was changed.
	revision  string
	goVersion string
}

// thisBuild describes the running program.
func thisBuild() buildInfo {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return describeBuild(info, release)
}

func describeBuild(info *debug.BuildInfo, release string) buildInfo {
	b := buildInfo{
		version:   cmp.Or(release, info.Main.Version, "devel"),
		revision:  unknown,
		goVersion: cmp.Or(info.GoVersion, unknown),
	}
	if b.version == "(devel)" {
		b.version = "devel"
	}
	dirty := ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			b.revision = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "-dirty"
		}
	}
	b.revision += dirty
	return b
}

// String is what --version says behind the program's name.
func (b buildInfo) String() string {
	return fmt.Sprintf("%s (revision %s, %s)", b.version, b.revision, b.goVersion)
}
