package nodeconfig

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fodc/actors/agent/mask/masktest"
	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// sent returns all that leaves the package of some sources, as one text.
func sent(t *testing.T, sources ...*params) string {
	t.Helper()
	list, notes := section("s", sources...)
	text, err := json.Marshal(list)
	require.NoError(t, err)
	return string(text) + strings.Join(notes, "\n")
}

// documents returns the value under the key as each kind of file.
func documents(t *testing.T, key, value string) map[string]string {
	t.Helper()
	text, err := json.Marshal(value)
	require.NoError(t, err)
	name, err := json.Marshal(key)
	require.NoError(t, err)
	files := map[string]string{
		"x.json":   fmt.Sprintf(`{"a": {%s: %s}}`, name, text),
		"l.json":   fmt.Sprintf(`[[{%s: %s}]]`, name, text),
		"x.yaml":   fmt.Sprintf("a:\n  %s: %s\n", name, text),
		"al.yaml":  fmt.Sprintf("a: &x {%s: %s}\nb: {<<: *x}\n", name, text),
		"nam.yaml": fmt.Sprintf("env:\n- {name: %s, val: %s}\n", name, text),
		"mrg.yaml": fmt.Sprintf("a: &x {name: %s}\nb: {<<: *x, val: %s}\n", name, text),
	}
	if !strings.ContainsAny(key, " \t\"'{}[]<>:") {
		files["x.env"] = key + "=" + value + "\n"
		files["q.env"] = "export " + key + `="` + value + "\"\n"
	}
	return files
}

// No secret of the table shows, however it comes to the agent.
func TestSecretsAreMasked(t *testing.T) {
	for _, c := range masktest.Secrets() {
		check := func(where, shown string) {
			t.Helper()
			if part := c.Leak(shown); part != "" {
				t.Errorf("%s = %s\n  in %s shows as %s, with %q", c.Key, c.Value, where, shown, part)
			}
		}
		for name, text := range documents(t, c.Key, c.Value) {
			found, err := parseFile(name, text)
			if err != nil {
				require.True(t, strings.HasSuffix(name, ".env"), "%s: %s", text, err)
				check(name, err.Error())
			}
			check(name, sent(t, found))
		}
		flag := "--" + strings.TrimLeft(c.Key, "-")
		if c.Key == "-u" {
			flag = c.Key
		}
		check("a command line", sent(t, parseCommandLine([]string{"banyand", "data", flag + "=" + c.Value})))
		check("a command line", sent(t, parseCommandLine([]string{"banyand", "data", flag, c.Value})))
		variable := envPrefix + strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(strings.TrimLeft(c.Key, "-")))
		if c.Key != "-u" && !strings.HasSuffix(c.Key, ".value") && !strings.HasSuffix(c.Key, ".previous") && !strings.HasSuffix(c.Key, ".0") {
			check("the environment", sent(t, parseEnvironment([]string{variable + "=" + c.Value})))
		}
	}
}

// Every harmless value of the table shows as it is.
func TestHarmlessIsShown(t *testing.T) {
	for _, c := range masktest.Harmless() {
		want := quote(c.Value)
		for name, text := range documents(t, c.Key, c.Value) {
			if strings.HasSuffix(name, ".env") && strings.Contains(c.Value, "\n") {
				continue
			}
			found, err := parseFile(name, text)
			require.NoError(t, err, text)
			last := found.list[len(found.list)-1].Value
			require.Equal(t, want, last, "%s: %s", name, text)
		}
		if strings.HasPrefix(c.Key, "--") {
			require.Equal(t, want, parseCommandLine([]string{"b", c.Key, c.Value}).list[1].Value)
		}
		if strings.HasPrefix(c.Key, envPrefix) {
			require.Equal(t, want, parseEnvironment([]string{c.Key + "=" + c.Value}).list[0].Value)
		}
	}
}

// A file of all kinds of secrets, and what an agent sends of it.
func TestPreview(t *testing.T) {
	shown, problems := Preview("testdata/secrets.yaml")
	require.Empty(t, problems)
	require.Equal(t, lines(
		`auth="***"`, `github="***"`,
		`harmless.id="7d444840-9dc0-11d1-b245-5ffdce74fad2"`, `harmless.image="sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"`,
		`harmless.interval="30s"`, `harmless.path="/var/lib/data"`,
		`pin="***"`, `private="***"`, `session="***"`, `signing.hmac="***"`, `signing.salt="***"`,
		`slack="https://hooks.slack.com/services/***"`, `users.0.hash="***"`, `users.0.name="bob"`), shownList(shown))

	h := newHost(t)
	text, err := os.ReadFile("testdata/secrets.yaml")
	require.NoError(t, err)
	c := h.collector(Config{Files: []string{h.write("secrets.yaml", string(text))}})
	require.Equal(t, h.collect(c).RuntimeConfig, shown, "it is what an agent sends")

	_, problems = Preview(filepath.Join(t.TempDir(), "none"))
	require.Len(t, problems, 1)
	require.Contains(t, problems[0], "no such file")
}

func shownList(list []messages.ConfigParam) string { return shown(&params{list: list}) }

// The lines of a private key in a file of KEY=VALUE are no keys and values.
func TestPrivateKeyInKeyValues(t *testing.T) {
	const key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\nAQEFAASCBKcwggSjAgEAAoIB==\nshort=\n-----END PRIVATE KEY-----\n"
	p, err := parseKeyValues("A=\"" + key + "\"\nB=c\nD=" + key + "E=f\nx\n")
	require.EqualError(t, err, "2 lines are not KEY=VALUE, the first is line 6")
	require.Equal(t, lines(`A="\"***"`, `B="c"`, `D="***"`, `E="f"`), shown(p))
}

// A key may be a secret, and so may the name of a file.
func TestSecretsInKeysAndNotes(t *testing.T) {
	p, err := parseYAML("clients: {kJ8s2nQ0pZx7Lm3Vt5Wb: admin}\n\"http://u:hunter2@h\": 1\n")
	require.NoError(t, err)
	require.Equal(t, lines(`clients.***="admin"`, `http://u:***@h=1`), shown(p))
	_, problems := Preview("/none/password=hunter2.yaml")
	require.Equal(t, []string{"stat /none/password=*** no such file or directory"}, problems)
}

// What Kubernetes keeps in a Secret is one, whatever its name is.
func TestKubernetesSecret(t *testing.T) {
	p, err := parseYAML("kind: Secret\nmetadata: {name: x}\ndata: {a: aGk=, b: " + base64.StdEncoding.EncodeToString([]byte("x")) + "}\nstringData: {c: hunter2}\ntype: Opaque\n")
	require.NoError(t, err)
	require.Equal(t, lines(`kind="Secret"`, `metadata.name="x"`, `data.a="***"`, `data.b="***"`, `stringData.c="***"`, `type="Opaque"`), shown(p))
}
