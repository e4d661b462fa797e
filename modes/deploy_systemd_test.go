package modes

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// needsTool skips a test where a program is missing; CI must have it.
func needsTool(t *testing.T, name, debianPackage string) {
	t.Helper()
	if _, err := exec.LookPath(name); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing: apt-get install %s", name, debianPackage)
	}
	t.Skipf("%s is missing (Debian: apt-get install %s)", name, debianPackage)
}

// unitFile returns the text of a file of deploy/systemd.
func unitFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "deploy", "systemd", name))
	require.NoError(t, err)
	return string(text)
}

// installUnit writes a unit with its drop-ins to a directory, for a program that every machine has.
func installUnit(t *testing.T, name string, dropIns ...string) string {
	t.Helper()
	dir := t.TempDir()
	text := unitFile(t, name)
	require.Contains(t, text, "ExecStart=/usr/bin/fodc ")
	path := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(path, []byte(strings.Replace(text, "ExecStart=/usr/bin/fodc ", "ExecStart=/bin/true ", 1)), 0o600))
	for _, d := range dropIns {
		require.NoError(t, os.MkdirAll(path+".d", 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(path+".d", d), []byte(unitFile(t, d)), 0o600))
	}
	return path
}

// What systemd itself says of the units: that it knows all of their settings, and how exposed a service is, from 0 to 10.
func TestUnitsOfSystemd(t *testing.T) {
	needsTool(t, "systemd-analyze", "systemd")
	f := func(wantExposure string, unit string, dropIns ...string) {
		t.Run(strings.Join(append([]string{unit}, dropIns...), "+"), func(t *testing.T) {
			path := installUnit(t, unit, dropIns...)
			said, err := exec.Command("systemd-analyze", "verify", "--man=no", path).CombinedOutput()
			require.NoError(t, err, "%s", said)
			require.Empty(t, string(said))
			said, err = exec.Command("systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold="+wantExposure, path).CombinedOutput()
			require.NoError(t, err, "%s", said)
			require.Contains(t, string(said), "Overall exposure level")
		})
	}
	f("20", "fodc-proxy.service")
	f("20", "fodc-agent.service")
	f("25", "fodc-agent.service", "kernel-telemetry.conf")
	f("25", "fodc-agent.service", "node-process.conf")
	f("25", "fodc-agent.service", "kernel-telemetry.conf", "node-process.conf")
}

// A unit that is too exposed, or has a setting that there is not, is found.
func TestUnitsOfSystemdCanFail(t *testing.T) {
	needsTool(t, "systemd-analyze", "systemd")
	path := filepath.Join(t.TempDir(), "bad.service")
	require.NoError(t, os.WriteFile(path, []byte("[Service]\nExecStart=/bin/true\nDynamicUsers=yes\n"), 0o600))
	said, _ := exec.Command("systemd-analyze", "verify", "--man=no", path).CombinedOutput()
	require.Contains(t, string(said), "DynamicUsers")
	require.Error(t, exec.Command("systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", path).Run())
}

var unitVariable = regexp.MustCompile(`(?m)(?:^#?|Environment=|\s)(FODC_[A-Z_]+)=(\S*)`)

// The variables of units and of their settings are those of flags, and the services are ready with them.
func TestUnitsSetVariablesThatThereAre(t *testing.T) {
	for _, mode := range []string{"agent", "proxy"} {
		t.Run(mode, func(t *testing.T) {
			cmd := docsCommand(mode)
			unit, settings := unitFile(t, "fodc-"+mode+".service"), unitFile(t, "fodc-"+mode+".default")
			require.Contains(t, unit, "ExecStart=/usr/bin/fodc "+mode+"\n")
			require.Contains(t, unit, "EnvironmentFile=-/etc/default/fodc-"+mode+"\n")
			for _, setting := range []string{"Type=notify", "Restart=on-failure", "WatchdogSec=60s", "WatchdogSignal=SIGQUIT", "MemoryMax=", "DynamicUser=yes", "ProtectSystem=strict"} {
				require.Contains(t, unit, "\n"+setting)
			}
			require.Contains(t, unit, "FODC_STORAGE_DIR=%S/fodc-"+mode+"\n")
			require.Contains(t, unit, "StateDirectory=fodc-"+mode+"\n")
			found := unitVariable.FindAllStringSubmatch(unit+settings, -1)
			require.Greater(t, len(found), 4)
			for _, m := range found {
				flag := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(m[1], envPrefix), "_", "-"))
				require.NotNil(t, cmd.option(flag), "fodc %s has no --%s, which %s stands for", mode, flag, m[1])
				t.Setenv(m[1], strings.NewReplacer("%S", "/var/lib", "%l", "host").Replace(m[2]))
			}
			require.NoError(t, cmd.parse(), "all settings together, those that are commented out, too")
		})
	}
}
