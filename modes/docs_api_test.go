package modes

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// TestDocsAPI runs the commands of docs/api.md on the cluster of the documentation, and
// compares the answers. make docs rewrites them.
func TestDocsAPI(t *testing.T) {
	const name = "api.md"
	text, err := os.ReadFile("../docs/" + name)
	require.NoError(t, err)
	var played string
	inDocsCluster(t, func(t *testing.T, w *docsCluster) { played = w.play(t, string(text)) })
	sameAsWritten(t, name, normalized(played))
}

// play returns the text with the current answers of its commands, which are the lines that
// begin with "$ " within fences of console.
func (w *docsCluster) play(t *testing.T, text string) string {
	t.Helper()
	var b strings.Builder
	inConsole, inAnswer := false, false
	for line := range strings.Lines(text) {
		switch command, isCommand := strings.CutPrefix(line, "$ "); {
		case line == "```console\n":
			inConsole, inAnswer = true, false
		case inConsole && line == "```\n":
			inConsole, inAnswer = false, false
		case inConsole && isCommand:
			b.WriteString(line)
			b.WriteString(w.answer(t, strings.TrimSpace(command)))
			inAnswer = true
			continue
		}
		if !inAnswer {
			b.WriteString(line)
		}
	}
	return b.String()
}

// answer performs a command: curl, and what its answer is piped through.
func (w *docsCluster) answer(t *testing.T, command string) string {
	t.Helper()
	synctest.Wait() // what the last command left to do is done
	parts := strings.Split(command, " | ")
	out := w.curl(t, words(t, parts[0]))
	for _, filter := range parts[1:] {
		out = filtered(t, words(t, filter), out)
	}
	if !strings.HasSuffix(out, "\n") && out != "" {
		out += "\n"
	}
	return out
}

// words splits a command at spaces outside of quotes.
func words(t *testing.T, command string) []string {
	t.Helper()
	var all []string
	word, quote, isWord := "", rune(0), false
	for _, c := range command {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '\'' || c == '"'):
			quote, isWord = c, true
		case quote == 0 && c == ' ':
			if isWord {
				all = append(all, word)
			}
			word, isWord = "", false
		default:
			word, isWord = word+string(c), true
		}
	}
	require.Zero(t, quote, "an open quote: %s", command)
	if isWord {
		all = append(all, word)
	}
	return all
}

// curl implements the options that the documentation uses.
func (w *docsCluster) curl(t *testing.T, args []string) string {
	t.Helper()
	require.Equal(t, "curl", args[0])
	method, target, body, show, header := http.MethodGet, "", "", false, http.Header{}
	for i := 1; i < len(args); i++ {
		switch arg := args[i]; {
		case arg == "-X":
			i++
			method = args[i]
		case arg == "-d":
			i++
			body = args[i]
		case arg == "-H":
			i++
			name, value, ok := strings.Cut(args[i], ": ")
			require.True(t, ok, args[i])
			header.Add(name, value)
		case strings.HasPrefix(arg, "-"):
			require.Empty(t, strings.Trim(arg, "-sgiI"), "unknown option %s", arg)
			show = show || strings.ContainsAny(arg, "iI")
			if strings.Contains(arg, "I") {
				method = http.MethodHead
			}
		default:
			target = arg
		}
	}
	u, err := url.Parse("http://" + target)
	require.NoError(t, err)
	handler := w.handlers[u.Port()]
	require.NotNil(t, handler, "no server at %s", target)
	r := httptest.NewRequestWithContext(t.Context(), method, u.String(), strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:40000"
	r.Header.Set("User-Agent", "curl/8.5.0")
	maps.Copy(r.Header, header)
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, r)
	text := answer.Body.String()
	if method == http.MethodHead {
		text = "" // which the server sees to
	}
	if !show {
		return text
	}
	return head(answer) + text
}

func head(answer *httptest.ResponseRecorder) string {
	var b strings.Builder
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\n", answer.Code, http.StatusText(answer.Code))
	for _, name := range slices.Sorted(maps.Keys(answer.Header())) {
		for _, value := range answer.Header()[name] {
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	return b.String() + "\n"
}

// filtered returns the output of the command for the input text.
func filtered(t *testing.T, args []string, text string) string {
	t.Helper()
	switch args[0] {
	case "jq":
		require.Equal(t, []string{"jq", "."}, args)
		var b bytes.Buffer
		require.NoError(t, json.Indent(&b, []byte(text), "", "  "))
		return b.String()
	case "head":
		n, err := strconv.Atoi(strings.TrimPrefix(args[1], "-"))
		require.NoError(t, err)
		lines := strings.SplitAfter(text, "\n")
		return strings.Join(lines[:min(n, len(lines))], "")
	case "grep":
		return grepped(t, args[1:], text)
	default:
		t.Fatalf("unknown command %q", args)
		return ""
	}
}

func grepped(t *testing.T, args []string, text string) string {
	t.Helper()
	want := args[0] != "-v"
	if args[0] == "-v" || args[0] == "-E" {
		args = args[1:]
	}
	require.Len(t, args, 1)
	pattern, err := regexp.Compile(args[0])
	require.NoError(t, err)
	var b strings.Builder
	for line := range strings.Lines(text) {
		if pattern.MatchString(line) == want {
			b.WriteString(line)
		}
	}
	return b.String()
}

var (
	uuids      = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
	requestIDs = regexp.MustCompile(`\b[A-Z2-7]{26}\b`)
	// actorRows are the columns PEAK and HANDLED of an actor.
	actorRows = regexp.MustCompile(`(running +\d+ +)(\d+ +)(\d+ +)`)
	// machineValues are what this machine says of itself, what changes with each metric
	// that an agent has, and what takes no time in a bubble.
	machineValues = []struct {
		pattern *regexp.Regexp
		instead string
	}{
		{regexp.MustCompile(`("load": ?)[0-9.e+-]+`), "${1}0.42"},
		{regexp.MustCompile(`("bytes": ?)[0-9]+`), "${1}24576"},
		{regexp.MustCompile(`("series": ?)[0-9]+(,\s*"samples": ?)[0-9]+`), "${1}43${2}301"},
		{regexp.MustCompile(`("round_trip_seconds": ?)0\b`), "${1}0.00042"},
		{regexp.MustCompile(`("clock_offset_seconds": ?)0\b`), "${1}-0.00013"},
		{regexp.MustCompile(`(?m)^(fodc_agent_round_trip_seconds\{.*\}) 0$`), "$1 0.00042"},
		{regexp.MustCompile(`(?m)^(fodc_agent_clock_offset_seconds\{.*\}) 0$`), "$1 -0.00013"},
		{regexp.MustCompile(`(?m)^(fodc_agent_scrape_duration_seconds\{.*\}) 0$`), "$1 0.0021"},
		{regexp.MustCompile(`("recorded_samples": ?)[0-9]+`), "${1}301"},
		{regexp.MustCompile(`(fodc_proxy_relayed_bytes_total )[0-9]+`), "${1}13526"},
		{regexp.MustCompile(`(fodc_proxy_relayed_samples_total )[0-9]+`), "${1}185"},
		{regexp.MustCompile(`(go1\.)[0-9.]+`), "${1}26.0"},
		{regexp.MustCompile(`(fodc_build_info\{).*(goversion=)`), `${1}version="v1.0.0",revision="6b8729c",$2`},
		{regexp.MustCompile(`goos="[a-z]+",goarch="[a-z0-9]+"`), `goos="linux",goarch="amd64"`},
	}
)

// normalized replaces what differs from run to run: ids, numbered in the order in which they
// appear, and values that depend on the machine.
func normalized(text string) string {
	numbered := func(pattern *regexp.Regexp, name func(n int) string) {
		names := map[string]string{}
		text = pattern.ReplaceAllStringFunc(text, func(id string) string {
			if names[id] == "" {
				names[id] = name(len(names))
			}
			return names[id]
		})
	}
	numbered(uuids, func(n int) string { return fmt.Sprintf("5d1f3a70-9c4e-4b62-8f0d-%012x", 0xa10+n) })
	numbered(requestIDs, func(n int) string { return fmt.Sprintf("%.24s%c%c", "K7QZ3M5XW2RDJ4LHT6VBNYPAEC", 'A'+n/26, 'A'+n%26) })
	text = actorRows.ReplaceAllStringFunc(text, func(row string) string {
		part := actorRows.FindStringSubmatch(row)
		return fmt.Sprintf("%s%-*s%-*s", part[1], len(part[2]), "1", len(part[3]), "42")
	})
	for _, m := range machineValues {
		text = m.pattern.ReplaceAllString(text, m.instead)
	}
	return text
}
