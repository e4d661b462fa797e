package kubetest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	core "k8s.io/api/core/v1"
)

// buildDir is the directory that program has made, and TestMain removes.
var buildDir string

// program builds fodc once, or takes that of FODC_BINARY.
var program = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("FODC_BINARY"); path != "" {
		return filepath.Abs(path)
	}
	dir, err := os.MkdirTemp("", "fodc-kubetest-*")
	if err != nil {
		return "", err
	}
	buildDir = dir
	path := filepath.Join(dir, "fodc")
	cmd := exec.Command("go", "build", "-o", path, ".")
	cmd.Dir, cmd.Env = "../..", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

func runProgram(t *testing.T, env []string, args ...string) (string, error) {
	t.Helper()
	path, err := program()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Env, cmd.WaitDelay = env, 10*time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}

var helpFlag = regexp.MustCompile(`--([a-z][a-z0-9-]+)`)

// flagsOf returns the flags of a mode, as its help shows them.
func flagsOf(t *testing.T, mode string) map[string]bool {
	t.Helper()
	help, err := runProgram(t, nil, mode, "--help")
	require.NoError(t, err, help)
	flags := map[string]bool{}
	for _, m := range helpFlag.FindAllStringSubmatch(help, -1) {
		flags[m[1]] = true
	}
	require.Greater(t, len(flags), 20, help)
	return flags
}

// unknownFlags returns the arguments and the variables of a container that are no flags of its mode.
func unknownFlags(flags map[string]bool, c core.Container) (unknown []string) {
	for _, arg := range c.Args[1:] {
		name, _, _ := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
		if !strings.HasPrefix(arg, "--") || !flags[name] {
			unknown = append(unknown, arg)
		}
	}
	for _, e := range c.Env {
		if name, found := strings.CutPrefix(e.Name, "FODC_"); found && !flags[strings.ToLower(strings.ReplaceAll(name, "_", "-"))] {
			unknown = append(unknown, e.Name)
		}
	}
	return unknown
}

// requireRuns requires the program to accept the flags and files of all containers: fodc check config with their arguments,
// their variables, and the files that the secrets of docs/security.md have.
func requireRuns(t *testing.T, o objects) {
	t.Helper()
	for _, w := range o.workloads() {
		for _, c := range w.ours() {
			require.Contains(t, []string{"proxy", "agent"}, c.Args[0])
			require.Empty(t, unknownFlags(flagsOf(t, c.Args[0]), c), "%s: flags that fodc %s does not have", w.name, c.Args[0])
			args, env := atHome(t, w, c)
			out, err := runProgram(t, env, append([]string{"check", "config"}, args...)...)
			require.NoError(t, err, "%s: fodc check config %s\n%s", w.name, strings.Join(args, " "), out)
		}
	}
}

// downward are values of the fields that variables are made of.
var downward = map[string]string{"metadata.name": "banyandb-data-0", "spec.nodeName": "host-1", "status.podIP": "10.0.0.7", "status.hostIP": "10.1.0.7",
	"metadata.labels['app.kubernetes.io/component']": "data"}

// atHome returns the arguments and variables of a container with directories of this machine in the place of its mounts.
func atHome(t *testing.T, w workload, c core.Container) (args, env []string) {
	t.Helper()
	var replace []string
	for _, e := range c.Env {
		value := e.Value
		if e.ValueFrom != nil {
			value = downward[e.ValueFrom.FieldRef.FieldPath]
			require.NotEmpty(t, value, "%v", e)
		}
		replace = append(replace, "$("+e.Name+")", value)
		env = append(env, e.Name+"="+value)
	}
	for _, m := range c.VolumeMounts {
		dir := t.TempDir()
		if v, _, _ := w.volume(m.Name); v.Secret != nil {
			require.True(t, m.ReadOnly)
			writeSecret(t, dir)
		}
		replace = append(replace, m.MountPath, dir)
	}
	replacer := strings.NewReplacer(replace...)
	for i := range env {
		env[i] = replacer.Replace(env[i])
	}
	for _, arg := range c.Args {
		args = append(args, replacer.Replace(arg))
		require.NotContains(t, args[len(args)-1], "$(", "a variable that the container does not have")
	}
	return args, env
}

// writeSecret writes the files of both secrets of docs/security.md.
func writeSecret(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "fodc-proxy"}, DNSNames: []string{"fodc-proxy"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	private := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	for name, text := range map[string][]byte{"ca.crt": cert, "tls.crt": cert, "proxy.crt": cert, "tls.key": private, "proxy.key": private,
		"web.yml":     []byte("tls_server_config: {cert_file: proxy.crt, key_file: proxy.key}\n"),
		"http.tokens": fmt.Appendf(nil, "prometheus read sha256:%x\n", sha256.Sum256([]byte("a token")))} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
}

func TestUnknownFlagsAreFound(t *testing.T) {
	c := core.Container{Args: []string{"agent", "--proxy-addr=a:1", "--no-such-flag=1", "stray"},
		Env: []core.EnvVar{{Name: "FODC_NODE_PROCESS"}, {Name: "FODC_NO_SUCH"}, {Name: "POD_NAME"}}}
	require.Equal(t, []string{"--no-such-flag=1", "stray", "FODC_NO_SUCH"}, unknownFlags(flagsOf(t, "agent"), c))
}

// The ports of containers are those that the program listens at unless a flag says otherwise.
func TestPortsAreTheDefaults(t *testing.T) {
	text, _ := renderValues(t, "agent: {mode: daemonset, nodeRole: datanode-hot}")
	configuration, err := os.ReadFile("../../docs/configuration.md")
	require.NoError(t, err)
	want := map[string]string{"grpc": "grpc-listen-addr", "http": "http-listen-addr", "fodc-agent": "prometheus-listen-addr"}
	seen := 0
	for _, w := range mustDecode(t, text).workloads() {
		for _, c := range w.ours() {
			for _, p := range c.Ports {
				seen++
				require.Regexp(t, fmt.Sprintf("`--%s ADDRESS` [^\n]* `:%d` ", want[p.Name], p.ContainerPort), string(configuration))
				require.Empty(t, flagValues(c, want[p.Name]))
			}
		}
	}
	require.Equal(t, 3, seen)
}
