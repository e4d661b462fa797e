package clidoc

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRoff(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		require.Equal(t, want, roffText(text))
	}
	f("plain", "plain")
	f(".TH x", `\&.TH x`)
	f("a\n.b\n'c\n", "a\n\\&.b\n\\&\\(aqc")
	f(`C:\n --x-y`, `C:\en \-\-x\-y`)
	f("`a` ^ ~", `\(gaa\(ga \(ha \(ti`)
	require.Equal(t, `"a \(dqb\(dq c"`, roffArgument("a \"b\"\nc"))
}

func TestMan(t *testing.T) {
	page := Man(program, Page{Version: "v1", Sections: []Section{{"EXIT STATUS", []string{"0 or 1", ".2"}}}})
	program.walk(func(_ []string, c Command) {
		for _, f := range c.Flags {
			require.Contains(t, page, ".B \\-\\-"+f.Name)
		}
	})
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, ".") {
			require.Regexp(t, `^\.(\\"|TH|SH|SS|PP|TP|B|I|nf|fi)( |\n)`, line)
		}
		require.False(t, strings.HasPrefix(line, "'"), line)
	}
	man, err := exec.LookPath("groff")
	if err != nil {
		t.Skip("there is no groff")
	}
	cmd := exec.CommandContext(t.Context(), man, "-man", "-Tutf8", "-ww", "-Kutf8", "-P-cbou")
	cmd.Stdin = strings.NewReader(page)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	require.Empty(t, stderr.String())
	text := strings.Join(strings.Fields(string(out)), " ")
	for _, want := range []string{"prog - does it", ".not a request 'nor this", "prog check file FILE...", "--level LEVEL the \"level\". Default: low. Variable: PROG_LEVEL.", "a $file \\ `here`.",
		"Its flags are those of prog run", "EXIT STATUS 0 or 1 .2"} {
		require.Contains(t, text, want)
	}
}
