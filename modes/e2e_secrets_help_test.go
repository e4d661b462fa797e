//go:build e2e && linux

package modes_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"
)

// plantedWorld is a node, and the configuration of a proxy and an agent, with secrets in all places.
type plantedWorld struct {
	t                              *testing.T
	dir                            string
	storageOfProxy, storageOfAgent string
	planted                        []string
	log                            string // of the node
	database                       *database
	node                           *nodeProcess
}

func newPlantedWorld(t *testing.T) *plantedWorld {
	dir := t.TempDir()
	return &plantedWorld{t: t, dir: dir, storageOfProxy: t.TempDir(), storageOfAgent: t.TempDir(), log: filepath.Join(dir, "node.log")}
}

// Each secret begins with seed, and ends with tail. Both have only letters and digits, so that they are the same in a URL.
const (
	seed = "planted"
	tail = "hidden7End"
)

// plant returns a secret, which is looked for from then on.
func (w *plantedWorld) plant(name string) string {
	s := seed + name + tail
	if !slices.Contains(w.planted, s) {
		w.planted = append(w.planted, s)
	}
	return s
}

// needles are what a text has that has one of the secrets, or the begin or the end of one: in clear, or in Base64 at any place of it.
func needles() (needles []string) {
	for _, part := range []string{seed, tail} {
		needles = append(needles, part)
		for shift := range 3 {
			// The first and the last characters depend on what is around them.
			text := base64.StdEncoding.EncodeToString([]byte("xx"[:shift] + part + "x"))
			needles = append(needles, text[(shift*8+5)/6:(shift+len(part))*8/6])
		}
	}
	return needles
}

func basicOf(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func (w *plantedWorld) write(name, text string) string {
	return certtest.WriteFile(w.t, filepath.Join(w.dir, name), []byte(text))
}

// web writes a web configuration with a user, and returns the flag and how its pages are asked for.
func (w *plantedWorld) web(name string) (flags []string, authorization string) {
	password := w.plant("web" + name)
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	require.NoError(w.t, err)
	return []string{"--web-config-file", w.write("web-"+name+".yml", "basic_auth_users:\n  alice: "+string(hash)+"\n"),
		"--bearer-token-file", w.write("tokens-"+name, tokenLine("script", "operate", w.plant("bearer"+name+strings.Repeat("x", 32)))),
		"--http-operator", "alice", "--log-level", "debug"}, basicOf("alice", password)
}

// lines are those of a log or a stack, with secrets of many kinds.
func (w *plantedWorld) lines(of string) string {
	p := func(name string) string { return w.plant(of + name) }
	text := strings.Join([]string{"connect to postgres://bob:" + p("url") + "@db/app", "password=" + p("named"), `{"level":"info","token":"` + p("json") + `"}`,
		"Authorization: " + basicOf("bob", p("basic")), "authorization: bearer " + p("bearer"), "GET /x?api_key=" + url.QueryEscape(p("parameter")),
		"mysql -uroot -p" + p("mysql") + " app", "sshpass -p " + p("sshpass") + " ssh host", "redis-cli -a " + p("redis") + " ping",
		"db:5432:app:bob:" + p("pgpass"), "password:", "  " + p("below"), "-----BEGIN PRIVATE KEY-----", base64.StdEncoding.EncodeToString([]byte(strings.Repeat("0123456789", 4) + p("key"))),
		"-----END PRIVATE KEY-----", "cookie: session=" + p("cookie"), "token%3D" + p("encoded"), ""}, "\n")
	return text
}

// endpoint serves the paths of a node that wants different credentials, and answers requests with secrets where there are none.
func (w *plantedWorld) endpoint() string {
	page := "guarded 1\nbad line http://u:" + w.plant("badline") + "@h/ 1\n"
	mux, told := http.NewServeMux(), w.plant("told")
	guarded := func(path, header, value string) {
		mux.HandleFunc(path, func(rw http.ResponseWriter, r *http.Request) {
			if r.Header.Get(header) != value {
				http.Error(rw, "not "+value+", password="+told, http.StatusUnauthorized)
				return
			}
			rw.Header().Set("Content-Type", "text/plain; version=0.0.4")
			_, _ = io.WriteString(rw, page)
		})
	}
	guarded("/basic", "Authorization", basicOf("fodc", w.plant("basic")))
	guarded("/bearer", "Authorization", "Bearer "+w.plant("file"))
	guarded("/header", "X-Api-Key", w.plant("header"))
	guarded("/wrong", "Authorization", basicOf("fodc", w.plant("right")))
	guarded("/oauth", "Authorization", "Bearer "+w.plant("access"))
	guarded("/oauthfails", "Authorization", "Bearer x")
	access := `{"access_token":"` + w.plant("access") + `","token_type":"Bearer","expires_in":3600}`
	mux.HandleFunc("/issue", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(rw, access)
	})
	mux.HandleFunc("/refuse", func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		http.Error(rw, `{"error":"invalid_client","error_description":"not client_secret=`+string(body)+`"}`, http.StatusUnauthorized)
	})
	away, profile, stacks := w.plant("away"), w.plant("profile"), "goroutine 1 [running]:\n"+w.lines("stack")+"# labels: {\"password\":\""+w.plant("label")+"\"}\n"
	mux.HandleFunc("/away", func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, "http://u:"+away+"@other.example/?token="+away, http.StatusFound)
	})
	mux.HandleFunc("/debug/pprof/", func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("debug") == "" && !strings.HasSuffix(r.URL.Path, "/cmdline") {
			http.Error(rw, "password="+profile, http.StatusInternalServerError)
			return
		}
		_, _ = io.WriteString(rw, stacks)
	})
	s := httptest.NewServer(mux)
	w.t.Cleanup(s.Close)
	return s.URL
}

// scrapes writes the file that says how the paths of the endpoint are scraped.
func (w *plantedWorld) scrapes(url string) string {
	w.write("token", w.plant("file")+"\n")
	w.write("client-secret", w.plant("client")+"\n")
	for _, name := range []string{"parameter", "wrong", "refused", "issuer", "proxy"} {
		w.plant(name)
	}
	return w.write("scrape.yml", strings.NewReplacer("URL", url, "PLANTED(", seed, ")PLANTED", tail).Replace(`
endpoints:
- url: URL/basic
  basic_auth: {username: fodc, password: PLANTED(basic)PLANTED}
- url: URL/bearer
  authorization: {credentials_file: token}
- url: URL/header
  http_headers: {X-Api-Key: {secrets: [PLANTED(header)PLANTED]}}
  params: {token: [PLANTED(parameter)PLANTED]}
- url: URL/wrong
  basic_auth: {username: fodc, password: PLANTED(wrong)PLANTED}
- url: URL/oauth
  oauth2: {client_id: fodc, client_secret_file: client-secret, token_url: "URL/issue"}
- url: URL/oauthfails
  oauth2: {client_id: fodc, client_secret: PLANTED(refused)PLANTED, token_url: "URL/refuse?token=PLANTED(issuer)PLANTED"}
- url: URL/proxied
  proxy_url: "http://u:PLANTED(proxy)PLANTED@127.0.0.1:1"
`))
}

// start writes all files, and starts the node, the proxy and its agent.
func (w *plantedWorld) start() (proxy, agent *guardedProcess) {
	t := w.t
	endpoint := w.endpoint()
	w.database = startDatabase(t, "data-0")
	d := w.database
	text, err := json.Marshal(map[string]any{"note": w.lines("report"), "password": w.plant("reportfield")})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(d.reports, "run.json"), text, 0o600))
	writeCrash(t, d.crashes, crashDirName+"1", crashJSON(w.lines("crash")))
	require.NoError(t, os.WriteFile(filepath.Join(d.crashes, crashDirName+"1", "stderr.txt"), []byte(w.lines("artifact")), 0o600))
	w.write("node.log", w.lines("log")+"panic: password="+w.plant("panic")+"\n\ngoroutine 1 [running]:\nmain.main()\n\t/x.go:1\n")
	config := w.write("node.yaml", "grpc-port: 17912\nusers:\n- {name: bob, password: "+w.plant("yaml")+"}\nnote: |\n  "+strings.ReplaceAll(w.lines("yaml"), "\n", "\n  ")+"\n")
	env := w.write("node.env", "DB_PASSWORD="+w.plant("envfile")+"\nDB=mysql://u:"+w.plant("envurl")+"@h/d\n")
	w.node = startNodeProcess(t, nil, []string{"BYDB_TOKEN=" + w.plant("env"), "BYDB_URL=http://u:" + w.plant("environ") + "@h"},
		"--etcd-password", w.plant("flag"), "--etcd=http://u:"+w.plant("flagurl")+"@h", "--", "redis-cli", "-a", w.plant("argument"), "mysql -p"+w.plant("joined"))

	token := w.plant("agent" + strings.Repeat("y", 32))
	webOfProxy, askProxy := w.web("proxy")
	proxy = &guardedProcess{startProxy(t, append(webOfProxy, "--storage-dir", w.storageOfProxy, "--heartbeat-interval", "1s", "--incident-after", "10s",
		"--grpc-agent-token-file", w.write("agent-tokens", tokenLine("agents", "agent", token)),
		"--alertmanager-url", "http://u:"+w.plant("alert")+"@127.0.0.1:1", "--alertmanager-url", endpoint+"/wrong",
		"--alertmanager-config-file", w.write("alertmanager.yml", "basic_auth: {username: fodc, password: "+w.plant("alertbasic")+"}\n"))...), "http", askProxy}
	webOfAgent, askAgent := w.web("agent")
	args := append(webOfAgent, "--storage-dir", w.storageOfAgent, "--proxy-token-file", w.write("agent-token", token+"\n"), "--crash-source-dir", d.crashes,
		"--node-log-file", w.log, "--node-config-file", config, "--node-config-file", env, "--node-pid-file", w.node.pidFile, "--pprof-endpoint", endpoint,
		"--incident-after", "10s", "--scrape-config-file", w.scrapes(endpoint))
	for _, path := range []string{"/basic", "/bearer", "/header", "/wrong", "/oauth", "/oauthfails", "/proxied", "/away", "/missing?token=" + w.plant("endpoint")} {
		args = append(args, "--metrics-endpoint", endpoint+path)
	}
	return proxy, &guardedProcess{d.startAgent(proxy.addr("grpc"), args...), "agent", askAgent}
}

// awaitTold returns an error until the agent has told of the node what it has to tell.
func (w *plantedWorld) awaitTold(proxy, agent *guardedProcess) (err error) {
	for path, parts := range map[string][]string{"/cluster/config": {"--etcd-password", "BYDB_TOKEN", "node.yaml", "DB_PASSWORD"}, "/cluster/lifecycle": {"run.json"},
		"/diagnostics": {"flush", "***"}, "/metrics": {"guarded{"}} {
		_, text := proxy.ask(w.t, http.MethodGet, path, "")
		for _, part := range parts {
			if !strings.Contains(text, part) {
				err = errors.Join(err, fmt.Errorf("%s has no %s: %.3000s", path, part, text))
			}
		}
	}
	_, health := agent.ask(w.t, http.MethodGet, "/health", "")
	for _, part := range []string{"401 Unauthorized", "another host", "404"} {
		if !strings.Contains(health, part) {
			err = errors.Join(err, fmt.Errorf("/health has no %s: %.6000s", part, health))
		}
	}
	return err
}

// unpacked returns the files of a bundle.
func unpacked(t *testing.T, bundle []byte) map[string]string {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(bundle))
	require.NoError(t, err)
	files, in := map[string]string{}, tar.NewReader(z)
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		require.NoError(t, err)
		text, err := io.ReadAll(in)
		require.NoError(t, err)
		files[h.Name] = plainText(text)
	}
}

// plainText returns a file as it is, and what is in it if it is compressed.
func plainText(file []byte) string {
	z, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		return string(file)
	}
	plain, _ := io.ReadAll(z)
	return string(file) + string(plain)
}
