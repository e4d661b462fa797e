package kernel

import (
	"errors"
	"fmt"
	"strings"
)

// ErrNothingRuns says that no program runs in the kernel. The error that wraps it says why.
var ErrNothingRuns = errors.New("no program runs in the kernel")

// Reasons for which nothing runs, or a program does not.
var (
	errNoTypes      = errors.New("the kernel does not describe its types: /sys/kernel/btf/vmlinux is not there (CONFIG_DEBUG_INFO_BTF)")
	errNoPrivileges = errors.New("the agent needs the capabilities CAP_BPF and CAP_PERFMON (systemd: AmbientCapabilities=CAP_BPF CAP_PERFMON)")
	errTooOld       = errors.New("the kernel is too old: 5.15 or newer is needed")
	errNoTracefs    = errors.New("tracefs is not mounted, or may not be read: /sys/kernel/tracing")
	errLoading      = errors.New("the programs are being loaded")
	errStopped      = errors.New("it was stopped")
)

// String says in one line what runs, and why the rest does not.
func (s Status) String() string {
	if s.Err != nil {
		return s.Err.Error()
	}
	text := fmt.Sprintf("%d of %d programs run", s.Running(), len(s.Programs))
	if missing := missingText(s.Programs, func(ProgramStatus) bool { return true }); missing != "" {
		text += "; " + missing
	}
	return text
}

// missingText returns the reasons of programs that do not run, each reason once, with the names.
func missingText(programs []ProgramStatus, of func(ProgramStatus) bool) string {
	var reasons []string
	names := map[string][]string{}
	for _, p := range programs {
		if p.Err == nil || !of(p) {
			continue
		}
		why := p.Err.Error()
		if names[why] == nil {
			reasons = append(reasons, why)
		}
		names[why] = append(names[why], p.Name)
	}
	for i, why := range reasons {
		reasons[i] = strings.Join(names[why], ", ") + ": " + why
	}
	return strings.Join(reasons, "; ")
}
