package modes

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"fodc/modes/certtest"
	"fodc/modes/scrapeconfig"

	"github.com/stretchr/testify/require"
)

// The recipes of docs/scraping.md are files that an agent takes, and its commands have flags that there are.
func TestDocsScraping(t *testing.T) {
	text, err := os.ReadFile("../docs/scraping.md")
	require.NoError(t, err)
	ca := certtest.NewCA(t, "ours")
	agent := ca.Issue(t, certtest.Leaf{Client: true})
	files := map[string][]byte{"ca.crt": ca.CertPEM, "agent.crt": agent.CertPEM, "agent.key": agent.KeyPEM}
	read := func(path string) ([]byte, error) {
		if strings.HasSuffix(path, ".yml") {
			return os.ReadFile(path)
		}
		require.Equal(t, "/etc/fodc", filepath.Dir(path))
		if content, ok := files[filepath.Base(path)]; ok {
			return content, nil
		}
		return []byte("a secret\n"), nil
	}
	recipes := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	require.Len(t, recipes, 5)
	for _, r := range recipes {
		path := certtest.WriteFile(t, filepath.Join(t.TempDir(), "scrape.yml"), []byte(r[1]))
		c, _, err := scrapeconfig.Load(path, []string{"https://data-0.example:2121/metrics", "http://127.0.0.1:2122/metrics"}, read)
		require.NoError(t, err, r[1])
		c.Close()
	}
	var flags []string
	for _, o := range append(docsCommand("agent").options, docsCommand("proxy").options...) {
		flags = append(flags, o.name)
	}
	for _, tl := range append(incidentsTools(Runners{}), queryTool(Runners{})) {
		for _, o := range tl.options {
			flags = append(flags, o.name)
		}
	}
	for _, m := range regexp.MustCompile("[` ]--([a-z-]+)").FindAllStringSubmatch(string(text), -1) {
		require.Contains(t, flags, m[1])
	}
}
