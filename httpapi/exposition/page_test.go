package exposition

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os/exec"
	"strings"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/stretchr/testify/require"

	"fodc/messages"
)

// untimed is the time of a sample that has none on its page.
const untimed = math.MinInt64

// point is a sample as a reader of a page finds it.
type point struct {
	// series is the name and the labels, sorted.
	series string
	time   int64
	bits   uint64
}

func seriesKey(l labels.Labels) string { return l.String() }

// valueBits makes all NaNs one: a page has no payload of a NaN.
func valueBits(v float64) uint64 {
	if math.IsNaN(v) {
		v = math.NaN()
	}
	return math.Float64bits(v)
}

// parsed is what two independent parsers find on a page.
type parsed struct {
	points []point
	// types and helps are by family.
	types, helps map[string]string
}

// parsePage fails the test unless the page is valid, sorted, grouped, and free of
// duplicates.
func parsePage(t require.TestingT, page []byte) parsed {
	p := parsed{types: map[string]string{}, helps: map[string]string{}}
	strict := expfmt.NewTextParser(model.UTF8Validation)
	families, err := strict.TextToMetricFamilies(bytes.NewReader(page))
	require.NoError(t, err, "%s", page)
	for name, f := range families {
		p.types[name] = strings.ToLower(f.GetType().String())
		p.helps[name] = f.GetHelp()
	}
	if len(page) > 0 {
		require.Equal(t, byte('\n'), page[len(page)-1])
	}
	requireGrouped(t, page)

	parser := textparse.NewPromParser(page, labels.NewSymbolTable(), false)
	newest := map[string]int64{}
	for {
		entry, err := parser.Next()
		if errors.Is(err, io.EOF) {
			return p
		}
		require.NoError(t, err, "%s", page)
		if entry != textparse.EntrySeries {
			continue
		}
		_, ts, v := parser.Series()
		var l labels.Labels
		parser.Labels(&l)
		name, twice := l.HasDuplicateLabelNames()
		require.False(t, twice, "label %s twice in %s", name, l)
		x := point{seriesKey(l), untimed, valueBits(v)}
		if ts != nil {
			x.time = *ts
		}
		before, seen := newest[x.series]
		require.False(t, seen && before >= x.time, "%s: %d comes after %d", x.series, x.time, before)
		newest[x.series] = x.time
		p.points = append(p.points, x)
	}
}

// requireGrouped reads the page as lines: every family has one head, its lines are
// together, and the names of families ascend.
func requireGrouped(t require.TestingT, page []byte) {
	family, help := "", ""
	for line := range strings.Lines(string(page)) {
		line = strings.TrimSuffix(line, "\n")
		if rest, ok := strings.CutPrefix(line, "# HELP "); ok {
			help, _ = cutName(t, rest)
			continue
		}
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, _ := cutName(t, rest)
			require.Greater(t, name, family, "families are sorted, none is there twice")
			if help != "" {
				require.Equal(t, name, help, "HELP and TYPE are together")
			}
			family, help = name, ""
			continue
		}
		name, ok := cutName(t, strings.TrimPrefix(line, "{"))
		require.True(t, ok, "line %q", line)
		suffix, ok := strings.CutPrefix(name, family)
		require.True(t, ok, "sample %s in family %s", name, family)
		require.Contains(t, []string{"", "_bucket", "_sum", "_count"}, suffix)
	}
}

// cutName returns the name that the text begins with, quoted or not.
func cutName(t require.TestingT, text string) (string, bool) {
	if strings.HasPrefix(text, `"`) {
		for i := 1; i < len(text); i++ {
			if text[i] == '\\' {
				i++
			} else if text[i] == '"' {
				return messages.Unescape(text[1:i]), true
			}
		}
		require.Fail(t, "no end of name", "%q", text)
	}
	end := strings.IndexAny(text, "{ ")
	if end < 0 {
		return text, false
	}
	return text[:end], true
}

// requirePromtool lets promtool read the page, if it is there. Its complaints about
// style (exit code 3) are about names that are not ours.
func requirePromtool(t require.TestingT, page []byte) {
	tool, err := exec.LookPath("promtool")
	if err != nil {
		return
	}
	cmd := exec.Command(tool, "check", "metrics")
	cmd.Stdin = bytes.NewReader(page)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 3 {
		return
	}
	require.NoError(t, err, "%s", out)
}

// text writes the collection and returns the page.
func text(t require.TestingT, c *messages.Collection, o Options) (string, Conflicts) {
	var b bytes.Buffer
	conflicts, err := WriteText(&b, c, o)
	require.NoError(t, err)
	parsePage(t, b.Bytes())
	return b.String(), conflicts
}

// answer is a node that answered; its agent id is made of its name.
func answer(id string, blocks ...messages.Block) messages.NodeAnswer {
	return messages.NodeAnswer{
		Identity: messages.Identity{NodeID: id, Role: "data"},
		AgentID:  "agent-" + id,
		Blocks:   blocks,
	}
}

func collection(nodes ...messages.NodeAnswer) *messages.Collection {
	return &messages.Collection{Nodes: nodes}
}

// block is a block of one row, at the given time.
func block(at int64, families ...messages.Family) messages.Block {
	return messages.Block{Times: []int64{at}, Families: families}
}

func family(name string, kind messages.MetricType, help string, series ...messages.Series) messages.Family {
	return messages.Family{Name: name, Type: kind, Help: help, Series: series}
}

func one(labels string, values ...float64) messages.Series {
	return messages.Series{Labels: messages.LabelText(labels), Values: values}
}

func suffixed(s messages.Suffix, labels string, values ...float64) messages.Series {
	return messages.Series{Suffix: s, Labels: messages.LabelText(labels), Values: values}
}

// samplesOf returns the lines of the page that begin with the text.
func samplesOf(page, start string) string {
	var lines []string
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, start) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// failAfter takes some bytes and then fails.
type failAfter struct {
	left     int
	writes   int
	failures int
	first    int
	max      int
}

var errFull = errors.New("full")

func (w *failAfter) Write(b []byte) (int, error) {
	if w.writes++; w.writes == 1 {
		w.first = len(b)
	}
	w.max = max(w.max, len(b))
	if w.left -= len(b); w.left < 0 {
		w.failures++
		return 0, errFull
	}
	return len(b), nil
}
