package recorder

import (
	"bytes"
	"fmt"
	"math/rand"
	"strconv"
	"strings"
	"testing"
)

// Loads make the pages of successive scrapes.

// walkingNode is a node of families of ten series, of four kinds in turn: a fast
// counter, a slow one, a gauge that walks at random, a constant.
type walkingNode struct {
	rng    *rand.Rand
	values []float64
	page   []byte
}

func newWalkingNode(series int) *walkingNode {
	return &walkingNode{rng: rand.New(rand.NewSource(0)), values: make([]float64, series)}
}

// next returns the next page; it is valid until the one after it.
func (n *walkingNode) next() []byte {
	const perFamily = 10
	b := n.page[:0]
	for i := range n.values {
		family := i / perFamily
		kind := "gauge"
		switch family % 4 {
		case 0:
			n.values[i] += float64(n.rng.Intn(50))
			kind = "counter"
		case 1:
			if n.rng.Intn(4) == 0 {
				n.values[i]++
			}
			kind = "counter"
		case 2:
			n.values[i] += n.rng.NormFloat64()
		}
		if i%perFamily == 0 {
			b = fmt.Appendf(b, "# HELP banyandb_walking_%04d The walking family number %d\n", family, family)
			b = fmt.Appendf(b, "# TYPE banyandb_walking_%04d %s\n", family, kind)
		}
		b = fmt.Appendf(b, "banyandb_walking_%04d{group=\"sw_metric\",segment=\"%d\",operation=\"write_batch\"} ", family, i%perFamily)
		b = strconv.AppendFloat(b, n.values[i], 'g', -1, 64)
		b = append(b, '\n')
	}
	n.page = b
	return b
}

// repeatedNode plays the real pages of a node under load again and again: gauges
// have their values again, whatever else the pages have goes on by the same changes.
type repeatedNode struct {
	pages [][]string
	// values are of each page, by series.
	values []map[string]string
	gauges map[string]bool
	scrape int
	now    map[string]string
}

func newRepeatedNode(t testing.TB) *repeatedNode {
	n := &repeatedNode{gauges: make(map[string]bool), now: make(map[string]string)}
	all := pages(t)
	for i := 1; i <= 8; i++ { // Page 0 is of an idle node.
		body := all[fmt.Sprintf("standalone-%02d.prom", i)]
		values := make(map[string]string)
		var lines []string
		for line := range bytes.Lines(body) {
			text := strings.TrimSuffix(string(line), "\n")
			lines = append(lines, text)
			if name, isGauge := strings.CutSuffix(text, " gauge"); isGauge && text[0] == '#' {
				n.gauges[strings.TrimPrefix(name, "# TYPE ")] = true
			}
			if series, value, ok := cutSample(text); ok {
				values[series] = value
			}
		}
		n.pages, n.values = append(n.pages, lines), append(n.values, values)
	}
	return n
}

func cutSample(line string) (series, value string, ok bool) {
	at := strings.LastIndexByte(line, ' ')
	if line == "" || line[0] == '#' || at < 0 {
		return "", "", false
	}
	return line[:at], line[at+1:], true
}

func (n *repeatedNode) next() []byte {
	// The first page leads to the second, the last to the second again.
	i := n.scrape
	if i > 0 {
		i = 1 + (i-1)%(len(n.pages)-1)
	}
	n.scrape++
	var b []byte
	for _, line := range n.pages[i] {
		series, value, ok := cutSample(line)
		if ok {
			if now, known := n.now[series]; known && !n.gauges[strings.SplitN(series, "{", 2)[0]] {
				if before, was := n.values[i-1][series]; was {
					value = addChange(now, before, value)
				} else {
					value = now
				}
			}
			n.now[series] = value
			line = series + " " + value
		}
		b = append(append(b, line...), '\n')
	}
	return b
}

// addChange returns now + (to - from), with no more digits behind the point than
// these have.
func addChange(now, from, to string) string {
	digits := 0
	for _, text := range []string{now, from, to} {
		v := strconv.FormatFloat(number(text), 'f', -1, 64)
		if at := strings.IndexByte(v, '.'); at >= 0 {
			digits = max(digits, len(v)-at-1)
		}
	}
	sum := strconv.FormatFloat(number(now)+number(to)-number(from), 'f', digits, 64)
	return strconv.FormatFloat(number(sum), 'g', -1, 64)
}

func number(text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic(err)
	}
	return v
}
