//go:build e2e && linux

package modes_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"
)

func tokenLine(name, role, token string) string {
	return fmt.Sprintf("%s %s sha256:%x\n", name, role, sha256.Sum256([]byte(token)))
}

// A Prometheus scrapes a proxy behind TLS with a password and with a token, another one with a certificate. Certificates and users
// change under load without a request that fails; a token that is removed ends; a broken file changes nothing.
func TestE2EWebConfiguration(t *testing.T) {
	t.Parallel()
	dir, ca := t.TempDir(), certtest.NewCA(t, "ca")
	server := certtest.Leaf{CN: "proxy", DNS: []string{"localhost"}, IPs: []string{"127.0.0.1"}}
	ca.Issue(t, server).Write(t, dir, "server")
	ca.Write(t, dir, "ca")
	ca.Issue(t, certtest.Leaf{CN: "prometheus", Client: true}).Write(t, dir, "client")
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	require.NoError(t, err)
	write := func(name, text string) string { return certtest.WriteFile(t, filepath.Join(dir, name), []byte(text)) }
	config := "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"
	users := config + "basic_auth_users:\n  alice: " + string(hash) + "\n"
	web := write("web.yml", users)
	tokens := write("tokens", tokenLine("prometheus", "read", "one")+tokenLine("grafana", "read", "two"))
	byCertificate := write("certificates.yml", config+"  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n")
	withUsers := startProxy(t, "--web-config-file", web, "--bearer-token-file", tokens).addr("http")
	withCertificates := startProxy(t, "--web-config-file", byCertificate).addr("http")
	job := func(name, target, more string) string {
		return fmt.Sprintf("  - job_name: %s\n    scheme: https\n    metrics_path: /metrics/self\n    static_configs: [{targets: [%q]}]\n%s", name, target, more)
	}
	trust := fmt.Sprintf("ca_file: %q", filepath.Join(dir, "ca.crt"))
	p := startPrometheusWith(t, job("password", withUsers, "    tls_config: {"+trust+"}\n    basic_auth: {username: alice, password: secret}\n")+
		job("token", withUsers, "    tls_config: {"+trust+"}\n    authorization: {credentials: one}\n")+
		job("certificate", withCertificates, fmt.Sprintf("    tls_config: {%s, cert_file: %q, key_file: %q}\n", trust, filepath.Join(dir, "client.crt"), filepath.Join(dir, "client.key"))))
	eventually(t, "three jobs that are up", func() error {
		up, err := p.query("up == 1")
		if err == nil && len(up) != 3 {
			err = fmt.Errorf("%v", up)
		}
		return err
	})

	client := &http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ca.Pool()}, DisableKeepAlives: true}}
	ask := func(token string) error {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+withUsers+"/api/v1/query?query=vector(1)", nil)
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+token)
		resp, err := client.Do(r)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", resp.StatusCode)
		}
		return nil
	}
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	failed := make(chan error, 1)
	go func() {
		for ctx.Err() == nil {
			if err := ask("one"); err != nil {
				failed <- err
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
		failed <- nil
	}()
	next := ca.Issue(t, server)
	next.Write(t, dir, "server")
	write("tokens", tokenLine("prometheus", "read", "one"))
	within(t, 10*time.Second, "the removed token ends, and the new certificate is in use", func() error {
		c, err := tls.Dial("tcp", withUsers, &tls.Config{RootCAs: ca.Pool()})
		if err != nil {
			return err
		}
		defer c.Close()
		if err := ask("two"); err == nil || err.Error() != "status 401" {
			return fmt.Errorf("the token: %v", err)
		}
		if shown := c.ConnectionState().PeerCertificates[0]; !shown.Equal(next.Cert) {
			return fmt.Errorf("the certificate is %s", shown.SerialNumber)
		}
		return nil
	})
	write("web.yml", "basic_auth_users: [")
	eventually(t, "the broken file is known", func() error {
		up, err := p.query(`fodc_files_last_reload_successful{job="password",flag="web-config-file"} == 0`)
		if err == nil && len(up) != 1 {
			err = fmt.Errorf("%v", up)
		}
		return err
	})
	stop()
	require.NoError(t, <-failed)
}
