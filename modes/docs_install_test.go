package modes

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	installBlocks  = regexp.MustCompile("(?s)```sh\n(.*?)```")
	installedFiles = regexp.MustCompile(`/usr/share/doc/fodc/(\S+)`)
	settingsLine   = regexp.MustCompile(`(?m)^(FODC_[A-Z_]+)=(.*)$`)
)

// The commands of docs/install.md are about files and services that there are, and those of fodc are accepted.
func TestDocsInstall(t *testing.T) {
	page, err := os.ReadFile("../docs/install.md")
	require.NoError(t, err)
	build, err := os.ReadFile("../deploy/package/build.sh")
	require.NoError(t, err)
	services, files, checked := 0, 0, 0
	for _, block := range installBlocks.FindAllStringSubmatch(string(page), -1) {
		for line := range strings.Lines(block[1]) {
			words := strings.Fields(line)
			if words[0] == "systemctl" {
				if unit := words[len(words)-1]; strings.HasPrefix(unit, "fodc") {
					require.FileExists(t, filepath.Join("..", "deploy", "systemd", unit+".service"))
					services++
				}
			}
			for _, m := range installedFiles.FindAllStringSubmatch(line, -1) {
				require.FileExists(t, filepath.Join("..", "deploy", m[1]))
				require.Contains(t, string(build), `"$doc/`+m[1]+`"`)
				files++
			}
			if words[0] == "fodc" {
				checkInstalled(t, words)
				checked++
			}
		}
	}
	require.Equal(t, []int{4, 2, 1}, []int{services, files, checked})
}

// checkInstalled runs a command with the settings that the package installs.
func checkInstalled(t *testing.T, words []string) {
	t.Helper()
	for _, m := range settingsLine.FindAllStringSubmatch(unitFile(t, "fodc-agent.default"), -1) {
		t.Setenv(m[1], m[2])
	}
	ran := false
	var stdout, stderr bytes.Buffer
	code := runMain(t, words, &stdout, &stderr, Runners{CheckConfig: func(context.Context, CheckedConfig, io.Writer, io.Writer) error {
		ran = true
		return nil
	}})
	require.Equal(t, exitClean, code, "%q: %s", words, &stderr)
	require.True(t, ran)
}
