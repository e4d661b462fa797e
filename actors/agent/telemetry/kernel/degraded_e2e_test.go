//go:build e2e && linux && (amd64 || arm64)

package kernel

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// syncPrograms need tracefs.
var syncPrograms = []string{"fsync_begin", "fsync_end", "fdatasync_begin", "fdatasync_end"}

var degradations = []struct {
	name         string
	uid          uint32
	capabilities []uintptr
	// script is run by a shell in a mount namespace of its own before.
	script string
	// text stands in what Status says. missing are the programs that do not run, for the reason.
	text    string
	missing []string
	reason  error
	marked  bool
}{
	{name: "Root", text: "programs run", marked: true},
	{name: "Nobody", uid: 65534, text: errNoPrivileges.Error()},
	{name: "NobodyWithBPF", uid: 65534, capabilities: []uintptr{unix.CAP_BPF}, text: errNoPrivileges.Error()},
	{name: "NobodyWithPerfmon", uid: 65534, capabilities: []uintptr{unix.CAP_PERFMON}, text: errNoPrivileges.Error()},
	{name: "NobodyWithBoth", uid: 65534, capabilities: []uintptr{unix.CAP_BPF, unix.CAP_PERFMON}, text: "programs run",
		missing: syncPrograms, reason: errNoTracefs, marked: true},
	{name: "NoTypes", script: "mount -t tmpfs none /sys/kernel/btf", text: errNoTypes.Error()},
	{name: "NoTracefs", script: "umount /sys/kernel/tracing", text: "programs run", missing: syncPrograms, reason: errNoTracefs, marked: true},
}

func TestE2EStatusSaysWhatIsMissing(t *testing.T) {
	startTracer(t)
	self, err := os.Open("/proc/self/exe")
	require.NoError(t, err)
	defer self.Close()
	for _, d := range degradations {
		t.Run(d.name, func(t *testing.T) {
			args := []string{"/proc/self/fd/3"}
			if d.script != "" {
				args = []string{"unshare", "-m", "sh", "-ec", d.script + "; exec /proc/self/fd/3"}
			}
			c := exec.CommandContext(t.Context(), args[0], args[1:]...)
			c.ExtraFiles, c.Dir = []*os.File{self}, "/"
			c.Env = append(os.Environ(), helperVariable+"=status")
			c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: d.uid, Gid: d.uid}, AmbientCaps: d.capabilities}
			out, err := c.Output()
			require.NoError(t, err)
			var s statusText
			require.NoError(t, json.Unmarshal(out, &s))
			t.Log(s.Text)
			require.Contains(t, s.Text, d.text)
			require.Equal(t, d.marked, s.Marked)
			require.Len(t, s.Reasons, len(d.missing))
			for _, name := range d.missing {
				require.Equal(t, d.reason.Error(), s.Reasons[name], name)
			}
			if d.missing != nil {
				require.Contains(t, s.Text, strings.Join(d.missing, ", "))
				require.Empty(t, s.Missing) // They are optional.
			}
		})
	}
}
