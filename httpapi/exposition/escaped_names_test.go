package exposition

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"fodc/messages"
)

func TestEscapedNames(t *testing.T) {
	c := collection(
		answer("n1", block(1, family("a.b", gauge, "Dots.", one(`"c.d"="1"`, 1)), family("a-b", gauge, "Dash.", one(`c_d="1"`, 2), one(``, 3)),
			family("plain", gauge, "", one(`x="1"`, 1)))),
		answer("n2", block(1, family("a_b", gauge, "Line.", one("", 4)))),
	)
	page, conflicts := text(t, c, Options{EscapedNames: true})
	require.Contains(t, page, `# HELP a_b Dots.
# TYPE a_b gauge
a_b{node_id="n1",node_role="data"} 3
a_b{c_d="1",node_id="n1",node_role="data"} 1
a_b{node_id="n2",node_role="data"} 4
`)
	require.Equal(t, Conflicts{Help: 2, Duplicate: 1}, conflicts)
	requirePromtool(t, []byte(page))
	// The collection is as it was.
	require.Equal(t, "a.b", c.Nodes[0].Blocks[0].Families[0].Name)
	require.Equal(t, messages.LabelText(`"c.d"="1"`), c.Nodes[0].Blocks[0].Families[0].Series[0].Labels)
}

// A reader that does not support UTF-8 names finds no name with quotes, on whatever page.
func TestEscapedPagesHaveNoQuotedNames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := collections().Draw(t, "collection")
		page, _ := text(t, c, Options{EscapedNames: true, Timestamps: true})
		var b bytes.Buffer
		_, err := WriteOpenMetrics(&b, c, Options{EscapedNames: true})
		require.NoError(t, err)
		parseOpen(t, b.Bytes())
		for line := range strings.Lines(page + b.String()) {
			line = strings.TrimPrefix(strings.TrimPrefix(line, "# HELP "), "# TYPE ")
			require.False(t, strings.HasPrefix(line, "{") || strings.HasPrefix(line, `"`), "%s", line)
			if at := strings.IndexByte(line, '{'); at >= 0 && !strings.HasPrefix(line, "#") && messages.IsLegacyMetricName(line[:at]) {
				require.NotEqual(t, byte('"'), line[at+1], "%s", line)
			}
		}
		same, _ := text(t, c, Options{Timestamps: true})
		again, _ := text(t, c, Options{Timestamps: true})
		require.Equal(t, same, again)
	})
}
