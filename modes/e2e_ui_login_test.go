//go:build e2e && linux

package modes_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"

	"fodc/modes/certtest"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/security"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"
)

// openAs opens a page of a server with TLS. When the server asks, the browser is given the user and the password once, as a person
// types them; a user of "" closes the window that asks.
func openAs(t *testing.T, browser context.Context, addr, path, user, password string) *tab {
	t.Helper()
	own, end := chromedp.NewContext(browser, chromedp.WithNewBrowserContext()) // It remembers no login of another tab.
	t.Cleanup(end)
	require.NoError(t, chromedp.Do(own))
	b := newTab(t, own, "https://"+addr, desktop)
	asked, yes := 0, true
	require.NoError(t, chromedp.Listen(b.ctx, func(event any) {
		switch e := event.(type) {
		case *fetch.EventRequestPaused:
			go answerLater(b, fetch.ContinueRequest, fetch.ContinueRequestParams{RequestID: e.RequestID})
		case *fetch.EventAuthRequired:
			says := &fetch.AuthChallengeResponse{Response: fetch.AuthChallengeResponseResponseCancelAuth}
			if asked++; user != "" && asked == 1 {
				says = &fetch.AuthChallengeResponse{Response: fetch.AuthChallengeResponseResponseProvideCredentials, Username: user, Password: password}
			}
			go answerLater(b, fetch.ContinueWithAuth, fetch.ContinueWithAuthParams{RequestID: e.RequestID, AuthChallengeResponse: says})
		}
	}))
	call(b, security.SetIgnoreCertificateErrors, security.SetIgnoreCertificateErrorsParams{Ignore: true})
	call(b, fetch.Enable, fetch.EnableParams{HandleAuthRequests: &yes})
	b.do(chromedp.Navigate(b.origin + "/ui/" + path))
	return b
}

// answerLater runs a command outside of the loop that reads events. A request that is over has no answer.
func answerLater[P, R any](b *tab, command cdp.Command[P, R], params P) {
	ctx, cancel := context.WithTimeout(b.ctx, pageTimeout)
	defer cancel()
	_, _ = chromedp.Call(ctx, command, params)
}

// startForPeople starts a proxy with TLS for the users alice, who may operate, and bob; each has the name as the password. One node is online.
func startForPeople(t *testing.T) (addr string) {
	t.Helper()
	dir, ca := t.TempDir(), certtest.NewCA(t, "ca")
	ca.Issue(t, certtest.Leaf{CN: "proxy", IPs: []string{"127.0.0.1"}}).Write(t, dir, "server")
	text := "tls_server_config: {cert_file: server.crt, key_file: server.key}\nbasic_auth_users:\n"
	for _, name := range []string{"alice", "bob"} {
		hash, err := bcrypt.GenerateFromPassword([]byte(name), bcrypt.MinCost)
		require.NoError(t, err)
		text += fmt.Sprintf("  %s: %s\n", name, hash)
	}
	web := certtest.WriteFile(t, filepath.Join(dir, "web.yml"), []byte(text))
	proxy := startProxy(t, "--web-config-file", web, "--http-operator", "alice", "--storage-dir", t.TempDir(), "--incident-before", "1m", "--incident-after", "10s")
	p := startPlayer(t, "healthy")
	startAgent(t, proxy, "data-0", "datanode-hot", p.URL+"/node", "--metrics-endpoint", p.URL+"/host", "--storage-dir", t.TempDir())
	s := &secured{t: t, proxy: proxy, client: &http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ca.Pool()}}}}
	s.awaitAs(basic("bob", "bob"), "/cluster", `"status":"online"`)
	return proxy.addr("http")
}

// TestE2EBrowserLogsIn: a browser is asked for a user and a password once. A reader sees all pages and is told what he may not do;
// an operator may.
func TestE2EBrowserLogsIn(t *testing.T) {
	t.Parallel()
	addr, browser := startForPeople(t), startBrowser(t)
	for user, password := range map[string]string{"": "", "bob": "alice", "mallory": "bob"} {
		t.Run("refused-"+user, func(t *testing.T) {
			b := openAs(t, browser, addr, "#/", user, password)
			b.untilText("unauthorized")
			require.NotContains(t, b.text("body"), "data-0")
		})
	}
	t.Run("reader", func(t *testing.T) {
		b := openAs(t, browser, addr, "#/", "bob", "bob")
		b.until("document.querySelector('.table')?.innerText.includes('data-0')")
		b.untilText("Nothing is wrong")
		b.shoot("login-cluster")
		for _, p := range pagesOfProxy {
			b.visit(p.path)
			b.untilText(p.has)
			b.until("!document.querySelector('.loading')")
			require.Zero(t, eval[int](b, "document.querySelectorAll('.state.failed').length"), "%s: %s", p.path, b.text("body"))
		}
		b.requireGood()
		b.allowed = []string{"status of 403"}
		b.visit("#/incidents")
		b.capture()
		b.until("/Refused.*may only read/s.test(document.querySelector('dialog')?.innerText)")
		b.shoot("login-refused")
		b.requireGood()
	})
	t.Run("operator", func(t *testing.T) {
		b := openAs(t, browser, addr, "#/incidents", "alice", "alice")
		b.capture()
		b.until("location.hash.startsWith('#/incidents/')")
		b.untilText("alice")
		b.shoot("login-captured")
		b.requireGood()
	})
}

// capture asks for an incident on the page that lists them.
func (b *tab) capture() {
	b.t.Helper()
	b.clickText("button", "Capture now")
	b.until("document.querySelector('dialog input[type=text]')")
	b.do(chromedp.SendKeys("dialog input[type=text]", "slow queries"))
	b.clickText("dialog button", "Capture")
}
