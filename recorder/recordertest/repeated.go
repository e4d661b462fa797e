package recordertest

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// RepeatedNode plays the real pages of a node under load again and again: gauges
// have their values again, whatever else the pages have goes on by the same changes.
type RepeatedNode struct {
	pages [][]string
	// values are of each page, by series.
	values []map[string]string
	gauges map[string]bool
	scrape int
	now    map[string]string
}

// NewRepeatedNode returns a node that begins with the first page: see Pages.
func NewRepeatedNode(t testing.TB, dir string) *RepeatedNode {
	n := &RepeatedNode{gauges: make(map[string]bool), now: make(map[string]string)}
	all := Pages(t, dir)
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

// Next returns the next page.
func (n *RepeatedNode) Next() []byte {
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
