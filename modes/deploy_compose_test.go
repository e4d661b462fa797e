package modes

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// composeFile is what matters of deploy/compose/compose.yaml.
type composeFile struct {
	Services map[string]struct {
		Image   string
		Build   struct{ Context, Dockerfile string }
		Command []string
		Ports   []string
		Network string   `yaml:"network_mode"`
		Pid     string   `yaml:"pid"`
		Needs   []string `yaml:"depends_on"`
		Health  struct {
			Test []string
		} `yaml:"healthcheck"`
		Volumes []string
		Configs []struct{ Source, Target string }
	}
	Configs map[string]struct{ Content string }
	Volumes map[string]any
}

// The programs of the compose file take their flags, and what it names is there.
func TestCompose(t *testing.T) {
	text, err := os.ReadFile("../deploy/compose/compose.yaml")
	require.NoError(t, err)
	var file composeFile
	require.NoError(t, yaml.Unmarshal(text, &file))
	ours := 0
	for name, s := range file.Services {
		require.Regexp(t, `^(fodc|[a-z/-]+:v?\d+\.\d+\.\d+)$`, s.Image, name)
		for _, other := range s.Needs {
			require.Contains(t, file.Services, other, name)
		}
		for _, port := range s.Ports {
			require.Regexp(t, `^127\.0\.0\.1:(\d+):\d+$`, port, "%s is reachable from elsewhere", name)
		}
		for _, v := range s.Volumes {
			volume, _, _ := strings.Cut(v, ":")
			require.Contains(t, file.Volumes, volume, name)
		}
		for _, c := range s.Configs {
			require.Contains(t, file.Configs, c.Source, name)
		}
		if s.Image != "fodc" {
			continue
		}
		ours++
		require.FileExists(t, filepath.Join("../deploy/compose", s.Build.Context, s.Build.Dockerfile))
		o := run(t, nil, nil, s.Command...)
		require.Equal(t, exitClean, o.code, "%s: %s", name, o.stderr)
		if len(s.Health.Test) > 0 {
			require.Equal(t, []string{"CMD", "/fodc", "healthcheck"}, s.Health.Test)
		}
		switch c := o.config.(type) {
		case AgentConfig:
			require.Equal(t, "service:banyandb", s.Network)
			require.Equal(t, "service:banyandb", s.Pid)
			require.Equal(t, []string{"proxy:17900"}, c.ProxyAddrs)
			require.Equal(t, ":17902", c.HTTPListenAddr)
			require.Contains(t, file.Services["banyandb"].Ports, "127.0.0.1:17902:17902")
			require.Contains(t, s.Volumes, "agent:"+c.Storage.Dir)
		case ProxyConfig:
			require.Equal(t, []string{":17900", ":17901"}, []string{c.GRPCListenAddr, c.HTTPListenAddr})
			require.Contains(t, s.Ports, "127.0.0.1:17901:17901")
		}
	}
	require.Equal(t, 2, ours)
	urls := 0
	for name, c := range file.Configs {
		var content map[string]any
		require.NoError(t, yaml.Unmarshal([]byte(c.Content), &content), name)
		for _, m := range regexp.MustCompile(`"(?:http://)?([a-z]+:\d+)"`).FindAllStringSubmatch(c.Content, -1) {
			u, err := url.Parse("http://" + m[1])
			require.NoError(t, err)
			s, is := file.Services[u.Hostname()]
			require.True(t, is, m[1])
			require.Contains(t, strings.Join(s.Ports, " "), ":"+u.Port(), m[1])
			urls++
		}
	}
	require.Equal(t, 3, urls)
}
