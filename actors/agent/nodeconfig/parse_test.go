package nodeconfig

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// shown returns the parameters as lines of key=value, in their order.
func shown(p *params) string {
	var lines []string
	for _, param := range p.list {
		lines = append(lines, param.Key+"="+param.Value)
	}
	return strings.Join(lines, "\n")
}

func lines(l ...string) string { return strings.Join(l, "\n") }

func TestCommandLine(t *testing.T) {
	f := func(args string, want ...string) {
		t.Helper()
		require.Equal(t, lines(want...), shown(parseCommandLine(strings.Split(args, "|"))))
	}
	f("/bin/banyand|standalone|--a=b|--c|d|-x|--e", `command="/bin/banyand standalone"`, `--a="b"`, `--c="d"`, `-x="true"`, `--e="true"`)
	f("banyand", `command="banyand"`)
	f("", `command=""`)
	f("-sh|-c|x", `command="-sh"`, `-c="x"`)
	f("b|--a=|--b==c|--c=d=e", `command="b"`, `--a=""`, `--b="=c"`, `--c="d=e"`)
	f("b|--a|", `command="b"`, `--a=""`)
	f("b|--a|-|--b|-1|--c|-.5", `command="b"`, `--a="-"`, `--b="-1"`, `--c="-.5"`)
	f("b|--a=1|--b|--a|2", `command="b"`, `--a="1,2"`, `--b="true"`)
	f("b|--a|x|y|z|--b", `command="b"`, `--a="x"`, `arguments="y,z"`, `--b="true"`)
	f("b|--a|--|--b=c|d", `command="b"`, `--a="true"`, `arguments="--b=c d"`)
	f("b|--|x", `command="b"`, `arguments="x"`)
	f("b|--list=a,b|--t=1h|--u=ü<>&", `command="b"`, `--list="a,b"`, `--t="1h"`, `--u="ü<>&"`)
	f("b|--a=\xff", `command="b"`, `--a="?"`)
}

func TestCommandLineMasks(t *testing.T) {
	f := func(args string, want ...string) {
		t.Helper()
		require.Equal(t, lines(append([]string{`command="b"`}, want...)...), shown(parseCommandLine(strings.Split("b|"+args, "|"))))
	}
	f("--etcd-password=hunter2|--tls", `--etcd-password="***"`, `--tls="true"`)
	f("--etcd-password|hunter2|--tls", `--etcd-password="***"`, `--tls="true"`)
	f("--etcd-password|-hunter2|--tls", `--etcd-password="***"`, `--tls="true"`)
	f("--password=hunter2|--password=hunter3", `--password="***"`)
	f("-pHunter2!|-p|x", `-p="***"`)
	f("--{hunter2", `--{="***"`)
	f("--|password=hunter2", `arguments="password=***"`)
	f("--etcd=http://u:hunter2@h", `--etcd="http://u:***@h"`)
	require.Equal(t, lines(`command="/bin/mysql"`, `-uroot="true"`, `-p="***"`, `-P="3306"`), shown(parseCommandLine([]string{"/bin/mysql", "-uroot", "-phunter2", "-P", "3306"})))
	require.Equal(t, lines(`command="sh redis-cli"`, `-p="6379"`, `-a="***"`), shown(parseCommandLine([]string{"sh", "redis-cli", "-p", "6379", "-a", "hunter2"})))
	require.Equal(t, lines(`command="banyand"`, `-p="6379"`, `-a="x"`), shown(parseCommandLine([]string{"banyand", "-p", "6379", "-a", "x"})))
	require.Equal(t, `command="b http://u:***@h"`, shown(parseCommandLine([]string{"b", "http://u:hunter2@h"})))
}

func TestKeyValues(t *testing.T) {
	f := func(text string, wantErr string, want ...string) {
		t.Helper()
		p, err := parseKeyValues(text)
		if wantErr != "" {
			require.EqualError(t, err, wantErr)
		} else {
			require.NoError(t, err)
		}
		require.Equal(t, lines(want...), shown(p))
	}
	f("", "")
	f("A=b\n# c\n; d\n\n export E = f g \r\nG=\nH=i=j\nK='l m'\nN=\"o\"\nP='q\"", "",
		`A="b"`, `E="f g"`, `G=""`, `H="i=j"`, `K="l m"`, `N="o"`, `P="'q\""`)
	f("A=b\nhunter2\n=c\nD=e", "2 lines are not KEY=VALUE, the first is line 2", `A="b"`, `D="e"`)
	f("DB_PASSWORD=hunter2", "", `DB_PASSWORD="***"`)
}

func TestYAML(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		p, err := parseYAML(text)
		require.NoError(t, err)
		require.Equal(t, lines(want...), shown(p))
	}
	f("")
	f("---\n")
	f("# nothing\n")
	f("max_connections: 1000\na: {b: c, d: 1.5}\n", `max_connections=1000`, `a.b="c"`, `a.d=1.5`)
	f("l: [1, x, {y: z}, [2]]\n", `l.0=1`, `l.1="x"`, `l.2.y="z"`, `l.3.0=2`)
	f("a: true\nb: null\nc: ~\nd: {}\ne: []\nf: ''\ng: yes\nh: False", `a=true`, `b=null`, `c=null`, `d={}`, `e=[]`, `f=""`, `g="yes"`, `h=false`)
	f("a: 0x10\nb: 1_000\nc: .inf\nd: 012\ne: 10s\nf: 1e3\ng: 2026-01-01\nh: -0", `a="0x10"`, `b="1_000"`, `c=".inf"`, `d="012"`, `e="10s"`, `f=1e3`,
		`g="2026-01-01"`, `h=-0`)
	f("a: &x {b: 1, c: 2}\nd: *x\ne: {<<: *x, b: 3}\n", `a.b=1`, `a.c=2`, `d.b=1`, `d.c=2`, `e.b=1`, `e.c=2`, `e.b=3`)
	f("a: &x {b: 1}\nc: &y {b: 2, d: 3}\ne: {<<: [*x, *y]}\n", `a.b=1`, `c.b=2`, `c.d=3`, `e.b=2`, `e.d=3`, `e.b=1`)
	f("a: 1\n---\na: 2\n", `a=1`, `a=2`)
	f("- a\n- b\n", `0="a"`, `1="b"`)
	f("? [x]\n: y\na: b\n", `a="b"`)
	f("password: hunter2\npin: {secret: 1234, on: true}\nusers: [{name: a, password: hunter2}]\ncredentials: {user: hunter2}",
		`password="***"`, `pin.secret="***"`, `pin.on=true`, `users.0.name="a"`, `users.0.password="***"`, `credentials.user="***"`)
	f("env:\n- {name: DB_PASSWORD, value: hunter2}\n- {name: A, value: b}\n", `env.0.name="DB_PASSWORD"`, `env.0.value="***"`, `env.1.name="A"`, `env.1.value="b"`)
	f("key: |\n  -----BEGIN PRIVATE KEY-----\n  MII\nx: |\n  -----BEGIN EC PRIVATE KEY-----\n  MII\n", `key="***"`, `x="***"`)
}

// No error repeats what is in the file.
func TestBadDocuments(t *testing.T) {
	f := func(parse func(string) (*params, error), text, want string) {
		t.Helper()
		p, err := parse(text)
		require.Nil(t, p)
		require.EqualError(t, err, want)
	}
	f(parseYAML, "a: *hunter2", "not valid YAML")
	f(parseYAML, "a: b\nhunter2\nc: d", "not valid YAML at line 2")
	f(parseYAML, "hunter2", "not KEY: VALUE, but one text")
	f(parseYAML, "a: [hunter2", "not valid YAML at line 1")
	f(parseJSON, `{"a": hunter2}`, "not valid JSON at byte 7")
	f(parseJSON, `{"a": "hunter2`, "not valid JSON: it ends too early")
	f(parseJSON, `{} hunter2`, "not valid JSON: something follows the first value")
	f(parseJSON, ``, "not valid JSON: it ends too early")
	bad := func(text string) (*params, error) { return parseFile("x", text) }
	f(bad, "a\x00b", "not a text in UTF-8")
	f(bad, "a: \xff", "not a text in UTF-8")
}

func TestJSON(t *testing.T) {
	p, err := parseJSON(`{"b": {"c": [1, 2.50, 1e400, "x<>"], "d": null, "e": {}, "f": []}, "a": true, "password": 5, "n": {"key": "API_TOKEN", "value": "hunter2"}}`)
	require.NoError(t, err)
	require.Equal(t, lines(`a=true`, `b.c.0=1`, `b.c.1=2.50`, `b.c.2=1e400`, `b.c.3="x<>"`, `b.d=null`, `b.e={}`, `b.f=[]`,
		`n.key="API_TOKEN"`, `n.value="***"`, `password="***"`), shown(p))
}

// The form of a file follows from its name, or else from its contents.
func TestFile(t *testing.T) {
	f := func(name, text, want string) {
		t.Helper()
		p, err := parseFile(name, text)
		require.NoError(t, err)
		require.Equal(t, want, shown(p))
	}
	f("x.json", `{"a":1}`, `a=1`)
	f("x.YAML", `{"a":1}`, `a=1`)
	f("x.yml", "a: b=c", `a="b=c"`)
	f("x.env", "a=b", `a="b"`)
	f("x", "\ufeff {\"a\":1}", `a=1`)
	f("x", "# x\na=b: c", `a="b: c"`)
	f("x.conf", "url: http://h?a=b", `url="http://h?a=b"`)
	f("x", "", "")
}

// What is too much is left out, and what is too long is cut; both are told.
func TestLimits(t *testing.T) {
	var b strings.Builder
	for i := range messages.MaxConfigParams + 5 {
		fmt.Fprintf(&b, "k%04d: v\n", i)
	}
	many, err := parseYAML(b.String())
	require.NoError(t, err)
	long, _ := parseKeyValues("LONG=" + strings.Repeat("x", messages.MaxConfigValueBytes) + "\n" + strings.Repeat("k", messages.MaxConfigKeyBytes+1) + "=v")
	list, notes := section("s", many, long)
	require.Equal(t, []string{
		"s: 7 parameters are left out: at most 1024 parameters and 65536 bytes are kept",
		"s: 1 values are cut: at most 4096 bytes of each are kept"}, notes)
	require.Len(t, list, messages.MaxConfigParams)
	require.Equal(t, "LONG", list[0].Key, "small letters come later")
	require.True(t, strings.HasSuffix(list[0].Value, `xxx..."`))
	require.NoError(t, (&messages.NodeConfig{StartupParams: list}).Validate())

	b.Reset()
	for i := range 100 {
		fmt.Fprintf(&b, "k%04d: %s\n", i, strings.Repeat("\x01", 500)) // six bytes each in JSON
	}
	heavy, err := parseKeyValues(strings.ReplaceAll(b.String(), ": ", "="))
	require.NoError(t, err)
	list, notes = section("s", heavy)
	require.Contains(t, notes[0], "left out")
	require.NoError(t, (&messages.NodeConfig{RuntimeConfig: list}).Validate())

	// A few lines that stand for billions of values.
	bomb := "a: &a [x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += fmt.Sprintf("%c: &%[1]c [*%[2]c,*%[2]c,*%[2]c,*%[2]c,*%[2]c,*%[2]c,*%[2]c,*%[2]c]\n", c, c-1)
	}
	p, err := parseYAML(bomb)
	require.NoError(t, err)
	require.Len(t, p.list, messages.MaxConfigParams)
	require.Positive(t, p.omitted)
	deep, err := parseJSON(strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100))
	require.NoError(t, err)
	require.Empty(t, deep.list)
	require.Equal(t, 1, deep.omitted)
}

// Later sources go over the earlier ones.
func TestSection(t *testing.T) {
	a, _ := parseKeyValues("B=1\nA=1\nB=2")
	b, _ := parseKeyValues("A=3\nC=4")
	list, notes := section("s", a, b)
	require.Empty(t, notes)
	require.Equal(t, []messages.ConfigParam{{Key: "A", Value: `"3"`}, {Key: "B", Value: `"2"`}, {Key: "C", Value: `"4"`}}, list)
}

func TestEnvironment(t *testing.T) {
	p := parseEnvironment([]string{"PATH=/bin", "BYDB_GRPC_PORT=17912", "SECRET=hunter2", "BYDB_ETCD_PASSWORD=hunter2", "BYDB_", "XBYDB_A=b"})
	require.Equal(t, lines(`BYDB_GRPC_PORT="17912"`, `BYDB_ETCD_PASSWORD="***"`), shown(p))
}

// requireSound checks what must hold of whatever a parser gives.
func requireSound(t *testing.T, p *params) {
	t.Helper()
	if p == nil {
		return
	}
	for _, param := range p.list {
		require.True(t, json.Valid([]byte(param.Value)), "%q", param.Value)
	}
	list, _ := section("s", p)
	require.NoError(t, (&messages.NodeConfig{StartupParams: list}).Validate())
	again, _ := section("s", &params{list: list})
	require.Equal(t, list, again)
}

func FuzzCommandLine(f *testing.F) {
	f.Add("banyand\x00standalone\x00--a=b\x00--password\x00-x\x00--\x00y")
	f.Fuzz(func(t *testing.T, text string) {
		requireSound(t, parseCommandLine(strings.Split(text, "\x00")))
		p, err := parsePprof(text, "")
		require.True(t, (p == nil) != (err == nil))
	})
}

func FuzzFile(f *testing.F) {
	for _, text := range []string{"a: &x {b: 1}\nc: {<<: *x}", `{"a": [1, {"b": null}]}`, "A=b\nexport C='d'", "? [x]\n: y", "a: &a [*a]", "&a {<<: *a}", "--- !!binary aGk=\n...\n"} {
		for name := range 4 {
			f.Add(text, uint8(name))
		}
	}
	f.Fuzz(func(t *testing.T, text string, name uint8) {
		p, err := parseFile([]string{"x", "x.json", "x.yaml", "x.env"}[name%4], text)
		requireSound(t, p)
		if err != nil {
			require.Less(t, len(err.Error()), 100)
		}
	})
}

func FuzzListeners(f *testing.F) {
	f.Add(tcpHeader + "   0: 0100007F:0849 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 42 1\n")
	f.Add("0: 00000000000000000000000001000000:0849 0:0 0A 0 0 0 0 0 42")
	f.Fuzz(func(t *testing.T, text string) {
		for _, l := range parseListeners(text) {
			require.True(t, l.at.IsValid())
			require.NotZero(t, l.inode)
		}
	})
}

// A flag in a list is the name of the item behind it.
func TestArgumentsInLists(t *testing.T) {
	want := lines(`args.0="b"`, `args.1="--etcd-password"`, `args.2="***"`, `args.3="--token"`, `args.4="--x"`, `args.5="y"`, `args.6="--token=***"`,
		`args.7="--password-file"`, `args.8="pw"`, `args.9="--pin"`, `args.10="***"`, `args.11="-u"`, `args.12="bob:***"`)
	list := `{"args": ["b", "--etcd-password", "hunter2", "--token", "--x", "y", "--token=hunter2", "--password-file", "pw", "--pin", 471199, "-u", "bob:hunter2"]}`
	for _, parse := range []func(string) (*params, error){parseJSON, parseYAML} {
		p, err := parse(list)
		require.NoError(t, err)
		require.Equal(t, want, shown(p))
	}
}
