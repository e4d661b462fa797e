package modes_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"
)

// corpusQuery is a query of testdata/queries, where each line of a .txt file is one.
type corpusQuery struct {
	// Text has the words START, MID and END in place of times.
	Text string
	// Empty: the query has no result, by design. Error: it fails. Instant: its result is a range, which a range query
	// cannot have.
	Empty, Error, Instant bool
}

func (q corpusQuery) String() string { return q.Text }

func readCorpus(t *testing.T) (corpus []corpusQuery) {
	t.Helper()
	paths, err := filepath.Glob("testdata/queries/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	seen := map[string]bool{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		for line := range strings.SplitSeq(strings.TrimRight(string(text), "\n"), "\n") {
			if strings.HasPrefix(line, "#") {
				continue
			}
			q := corpusQuery{Text: line}
			if mark, rest, marked := strings.Cut(line, " "); strings.HasPrefix(line, "@") {
				require.True(t, marked, line)
				q = corpusQuery{Text: rest, Empty: mark == "@empty", Error: mark == "@error", Instant: mark == "@instant"}
				require.NotEqual(t, corpusQuery{Text: rest}, q, "an unknown mark: %s", line)
			}
			require.False(t, seen[q.Text], "twice: %s", q.Text)
			seen[q.Text] = true
			corpus = append(corpus, q)
		}
	}
	return corpus
}

// functionsOf242 are the functions that the parser of Prometheus 2.42 knows.
const functionsOf242 = `abs absent absent_over_time acos acosh asin asinh atan atanh avg_over_time ceil changes clamp clamp_max
	clamp_min cos cosh count_over_time day_of_month day_of_week day_of_year days_in_month deg delta deriv exp floor
	histogram_count histogram_fraction histogram_quantile histogram_sum holt_winters hour idelta increase irate label_join
	label_replace last_over_time ln log10 log2 max_over_time min_over_time minute month pi predict_linear present_over_time
	quantile_over_time rad rate resets round scalar sgn sin sinh sort sort_desc sqrt stddev_over_time stdvar_over_time
	sum_over_time tan tanh time timestamp vector year`

// newFunctions are those that came later, and that Prometheus 3.15 has without a feature flag. Prometheus' own scripts are
// their test, in recorder/promstore.
var newFunctions = []string{"first_over_time", "histogram_avg", "histogram_stddev", "histogram_stdvar"}

// TestQueryCorpus checks that the corpus has at least 300 queries, every function, every operator and every way to match.
func TestQueryCorpus(t *testing.T) {
	corpus := readCorpus(t)
	p := parser.NewParser(parser.Options{})
	called, used := map[string]bool{}, map[string]bool{}
	call := regexp.MustCompile(`\b([a-z_0-9]+) ?\(`)
	answered := 0
	for _, q := range corpus {
		if q.Error {
			continue
		}
		if answered++; q.Empty {
			answered--
		}
		for _, m := range call.FindAllStringSubmatch(q.Text, -1) {
			called[m[1]] = true
		}
		text := strings.NewReplacer("START", "1", "MID", "2", "END", "3").Replace(q.Text)
		expr, err := p.ParseExpr(text)
		if err != nil {
			require.Contains(t, q.Text, "holt_winters", "%v", err) // the one that has another name today
			continue
		}
		parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
			for _, what := range constructsOf(n) {
				used[what] = true
			}
			return nil
		})
	}
	require.GreaterOrEqual(t, answered, 300)
	known := strings.Fields(functionsOf242)
	for _, f := range known {
		require.True(t, called[f], "no query calls %s", f)
	}
	for name, f := range parser.Functions {
		if !f.Experimental && !slices.Contains(known, name) {
			require.Contains(t, newFunctions, name)
		}
	}
	var missing []string
	for _, what := range wantedConstructs() {
		if !used[what] {
			missing = append(missing, what)
		}
	}
	require.Empty(t, missing)
}

// wantedConstructs is what constructsOf must return over the whole corpus.
func wantedConstructs() (all []string) {
	for _, op := range []string{"+", "-", "*", "/", "%", "^", "atan2", "==", "!=", ">", "<", ">=", "<="} {
		for _, sides := range []string{"scalar scalar", "scalar vector", "vector scalar", "vector vector"} {
			all = append(all, op+": "+sides)
		}
	}
	for _, op := range []string{"==", "!=", ">", "<", ">=", "<="} {
		all = append(all, op+" bool")
	}
	for _, op := range []string{"and", "or", "unless"} {
		all = append(all, op+": vector vector", op+" on", op+" ignoring")
	}
	for _, how := range []string{"one-to-one", "many-to-one", "one-to-many"} {
		all = append(all, how+" on", how+" ignoring", how)
	}
	for _, a := range []string{"sum", "avg", "min", "max", "count", "group", "stddev", "stdvar", "topk", "bottomk", "quantile", "count_values"} {
		all = append(all, a, a+" by", a+" without")
	}
	return append(all, "match =", "match !=", "match =~", "match !~", "offset", "negative offset", "@", "@ start", "@ end", "range @",
		"range offset", "subquery", "subquery step", "subquery @", "subquery offset", "unary -", "unary +", "include")
}

func constructsOf(n parser.Node) (all []string) {
	add := func(what string, is bool) {
		if is {
			all = append(all, what)
		}
	}
	kind := func(e parser.Expr) string { return strings.Replace(string(e.Type()), "matrix", "vector", 1) }
	switch n := n.(type) {
	case *parser.BinaryExpr:
		op := n.Op.String()
		add(fmt.Sprintf("%s: %s %s", op, kind(n.LHS), kind(n.RHS)), true)
		add(op+" bool", n.ReturnBool)
		if m := n.VectorMatching; m != nil {
			how := m.Card.String()
			if n.Op.IsSetOperator() {
				how = op
			}
			add(how, true)
			add(how+" on", m.On)
			add(how+" ignoring", !m.On && len(m.MatchingLabels) > 0)
			add("include", len(m.Include) > 0)
		}
	case *parser.AggregateExpr:
		op := n.Op.String()
		add(op, true)
		add(op+" by", len(n.Grouping) > 0 && !n.Without)
		add(op+" without", n.Without)
	case *parser.UnaryExpr:
		add("unary "+n.Op.String(), true)
	case *parser.SubqueryExpr:
		add("subquery", true)
		add("subquery step", n.Step > 0)
		add("subquery @", n.Timestamp != nil || n.StartOrEnd != 0)
		add("subquery offset", n.OriginalOffset != 0)
	case *parser.MatrixSelector:
		v := n.VectorSelector.(*parser.VectorSelector)
		add("range @", v.Timestamp != nil || v.StartOrEnd != 0)
		add("range offset", v.OriginalOffset != 0)
	case *parser.VectorSelector:
		add("offset", n.OriginalOffset > 0)
		add("negative offset", n.OriginalOffset < 0)
		add("@", n.Timestamp != nil)
		add("@ start", n.StartOrEnd == parser.START)
		add("@ end", n.StartOrEnd == parser.END)
		for _, m := range n.LabelMatchers {
			add("match "+m.Type.String(), true)
		}
	}
	return all
}
