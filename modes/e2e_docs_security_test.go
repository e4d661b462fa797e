//go:build e2e && linux

package modes_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

var fencedBlocks = regexp.MustCompile("(?s)```(sh|yaml)\n(.*?)```")

// What the recipes of docs/security.md are waited for, where a person would look twice, by the command before it.
var recipeWaits = map[string]string{
	"& agent=$!": "until curl -s localhost:17901/cluster | grep -q '\"status\":\"online\"'; do sleep 0.2; done\n",
	"--web-config-file web.yml --bearer-token-file http.tokens & proxy=$!": "until curl -sf --cacert ca.crt https://localhost:17901/-/ready; do sleep 0.2; done\n",
}

// kubectlStub makes a directory of each secret: `kubectl create secret generic NAME --from-file=[KEY=]FILE...`
const kubectlStub = `#!/bin/bash
set -euo pipefail
[ "$1 $2 $3" = "create secret generic" ]
mkdir "secret-$4"
dir=secret-$4
for arg in "${@:5}"; do
  file=${arg#--from-file=}
  [ "$file" != "$arg" ]
  cp "${file#*=}" "$dir/${file%%=*}"
done
`

// TestE2EDocsSecurity runs the recipes of docs/security.md as they stand there, one after the other, and then the containers of
// Kubernetes, with the files that their secrets have.
func TestE2EDocsSecurity(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"bash", "openssl", "htpasswd", "curl"} {
		_, err := exec.LookPath(tool)
		require.NoError(t, err, "install %s", tool)
	}
	page, err := os.ReadFile("../docs/security.md")
	require.NoError(t, err)
	grpcAddr, httpAddr, dir := fixedPort(t), fixedPort(t), t.TempDir()
	stub := filepath.Join(t.TempDir(), "kubectl")
	require.NoError(t, os.WriteFile(stub, []byte(kubectlStub), 0o700))
	script := "set -euo pipefail\ntrap 'kill $proxy $agent' EXIT\n"
	var pods []string
	waited := 0
	for i, m := range fencedBlocks.FindAllStringSubmatch(string(page), -1) {
		if m[1] == "yaml" {
			pods = append(pods, m[2])
			continue
		}
		script += fmt.Sprintf("echo BLOCK %d\n%s", i, m[2])
		for after, wait := range recipeWaits {
			if strings.Contains(m[2], after) {
				script += wait
				waited++
			}
		}
	}
	require.Equal(t, 3, waited)
	script = strings.NewReplacer("17900", portOf(grpcAddr), "17901", portOf(httpAddr)).Replace(script)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	shell := exec.CommandContext(ctx, "bash", "-c", script)
	shell.Dir = dir
	shell.Env = append(os.Environ(), "PATH="+filepath.Dir(binary)+":"+filepath.Dir(stub)+":"+os.Getenv("PATH"), "FODC_GRPC_LISTEN_ADDR="+grpcAddr,
		"FODC_HTTP_LISTEN_ADDR="+httpAddr, "FODC_PROMETHEUS_LISTEN_ADDR=127.0.0.1:0", "FODC_HOST_TELEMETRY=false")
	shell.WaitDelay = patience
	said, err := shell.CombinedOutput()
	require.NoError(t, err, "%s", said)
	for _, text := range []string{`"verified":true,"certificate_name":"data-0"`, `"status":"healthy"`, `"status":"success"`, "no incidents"} {
		require.Contains(t, string(said), text)
	}
	require.Len(t, pods, 2)
	runPods(t, dir, pods[0], pods[1])
}

// pod is what matters of the specification of one.
type pod struct {
	Containers []struct {
		Args         []string
		VolumeMounts []struct {
			Name      string
			MountPath string `yaml:"mountPath"`
		} `yaml:"volumeMounts"`
	}
	Volumes []struct {
		Name   string
		Secret struct {
			SecretName string `yaml:"secretName"`
		}
	}
}

// argsOf returns the command line of a pod's container. Its secret is mounted as in Kubernetes: as a link that can be swapped.
func argsOf(t *testing.T, dir, text string, replaced ...string) []string {
	t.Helper()
	var p pod
	require.NoError(t, yaml.Unmarshal([]byte(text), &p))
	c := p.Containers[0]
	require.Equal(t, c.VolumeMounts[0].Name, p.Volumes[0].Name)
	files := map[string][]byte{}
	entries, err := os.ReadDir(filepath.Join(dir, "secret-"+p.Volumes[0].Secret.SecretName))
	require.NoError(t, err)
	for _, e := range entries {
		files[e.Name()], err = os.ReadFile(filepath.Join(dir, "secret-"+p.Volumes[0].Secret.SecretName, e.Name()))
		require.NoError(t, err)
	}
	mounted := filepath.Join(t.TempDir(), "mounted")
	certtest.SwapDir(t, mounted, files)
	replace := strings.NewReplacer(append(replaced, c.VolumeMounts[0].MountPath+"/", mounted+"/")...)
	for i := range c.Args {
		c.Args[i] = replace.Replace(c.Args[i])
	}
	return c.Args
}

func runPods(t *testing.T, dir, agent, proxy string) {
	t.Helper()
	p := start(t, append(argsOf(t, dir, proxy), "--grpc-listen-addr", "127.0.0.1:0", "--http-listen-addr", "127.0.0.1:0")...)
	start(t, append(argsOf(t, dir, agent, "$(POD_NAME)", "data-1", "proxy.example:17900", p.addr("grpc")), "--prometheus-listen-addr", "127.0.0.1:0")...)
	authority, err := os.ReadFile(filepath.Join(dir, "ca.crt"))
	require.NoError(t, err)
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(authority))
	s := &secured{t: t, proxy: p, client: &http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}}
	token, err := os.ReadFile(filepath.Join(dir, "grafana.token"))
	require.NoError(t, err)
	s.awaitAs("Bearer "+strings.TrimSpace(string(token)), "/cluster", `"node_id":"data-1"`, `"status":"online"`, `"certificate_name":"agents"`)
	ready := s.ask(http.MethodGet, p.addr("http"), "/-/ready", "")
	require.Equal(t, http.StatusOK, ready.status, ready.body)
}
