package incidents

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"fodc/messages"
)

// maxShownChanges bounds the changes that are shown.
const maxShownChanges = 12

// Changes is what has changed in the time of an incident, as the server answers it.
type Changes struct {
	Changes []struct {
		Family    string    `json:"family"`
		Node      string    `json:"node_id"`
		Name      string    `json:"name"`
		Labels    string    `json:"labels"`
		Kind      string    `json:"kind"`
		At        time.Time `json:"at"`
		PerSecond bool      `json:"per_second"`
		From      float64   `json:"from"`
		To        float64   `json:"to"`
		Series    int       `json:"series"`
		Nodes     []string  `json:"nodes"`
	} `json:"changes"`
	Dropped  int `json:"dropped"`
	Vanished []struct {
		Node     string    `json:"node_id"`
		At       time.Time `json:"at"`
		BackAt   time.Time `json:"back_at"`
		Series   int       `json:"series"`
		Families []string  `json:"families"`
	} `json:"vanished"`
	Limits []struct {
		Node    string    `json:"node_id"`
		What    string    `json:"what"`
		Name    string    `json:"name"`
		Labels  string    `json:"labels"`
		At      time.Time `json:"at"`
		Usual   float64   `json:"usual"`
		Highest float64   `json:"highest"`
		Limit   float64   `json:"limit"`
	} `json:"limits"`
	Churn []struct {
		By       []string  `json:"by"`
		At       time.Time `json:"at"`
		Ended    int       `json:"ended"`
		Began    int       `json:"began"`
		Nodes    []string  `json:"nodes"`
		Families []string  `json:"families"`
	} `json:"churn"`
	// Series counts those that were looked at.
	Series int `json:"series"`
	Unread []struct {
		Node   string `json:"node_id"`
		Reason string `json:"reason"`
	} `json:"unread"`
}

func (c *Changes) text(first time.Time) string {
	rows := append([][]string{{"WHEN", "NODE", "FROM", "TO", "HOW", "WHAT"}}, c.limitRows(first)...)
	rows = append(rows, c.vanishedRows(first)...)
	for _, one := range c.Changes[:min(len(c.Changes), maxShownChanges)] {
		name := cmp.Or(one.Name, one.Family)
		what := name
		if one.Labels != "" {
			what += "{" + one.Labels + "}"
		}
		if one.Series > 1 {
			what += fmt.Sprintf(" (and %d more of %s)", one.Series-1, one.Family)
		}
		node := one.Node
		if more := len(one.Nodes) - 1; more > 0 {
			node += fmt.Sprintf(" and %d more", more)
		}
		rows = append(rows, []string{relative(one.At, first), node, messages.MetricText(name, one.From, one.PerSecond), messages.MetricText(name, one.To, one.PerSecond), one.Kind, what})
	}
	rows = append(rows, c.churnRows(first)...)
	if len(rows) == 1 {
		if c.Series == 0 && len(c.Unread) > 0 {
			return c.unread()
		}
		return "nothing has left its usual course\n" + c.unread()
	}
	text := table(rows)
	if more := len(c.Changes) - maxShownChanges + c.Dropped; more > 0 {
		text += fmt.Sprintf("and %d more\n", more)
	}
	return text + c.unread()
}

// limitRows are what came near its limit: that is what people look for first.
func (c *Changes) limitRows(first time.Time) (rows [][]string) {
	for _, l := range c.Limits[:min(len(c.Limits), maxShownChanges)] {
		what := l.What
		if l.Labels != "" {
			what += " {" + l.Labels + "}"
		}
		rows = append(rows, []string{relative(l.At, first), l.Node, percentText(l.Usual, l.Limit), percentText(l.Highest, l.Limit), "near limit",
			what + ", of " + messages.MetricText(l.Name, l.Limit, false)})
	}
	return rows
}

// vanishedRows are what ended together: a process that ends takes all of its series with it.
func (c *Changes) vanishedRows(first time.Time) (rows [][]string) {
	for _, v := range c.Vanished[:min(len(c.Vanished), maxShownChanges)] {
		what := fmt.Sprintf("%d series", v.Series)
		if len(v.Families) > 0 {
			what += ", such as " + strings.Join(v.Families[:min(len(v.Families), maxNames)], ", ")
		}
		if !v.BackAt.IsZero() {
			what += "; they were back at " + relative(v.BackAt, first)
		}
		rows = append(rows, []string{relative(v.At, first), v.Node, none, none, "vanished", what})
	}
	return rows
}

// churnRows are what comes and goes all the time, which is seldom why.
func (c *Changes) churnRows(first time.Time) (rows [][]string) {
	for _, one := range c.Churn[:min(len(c.Churn), maxShownChanges)] {
		node := ""
		if len(one.Nodes) > 0 {
			node = one.Nodes[0]
		}
		if more := len(one.Nodes) - 1; more > 0 {
			node += fmt.Sprintf(" and %d more", more)
		}
		what := fmt.Sprintf("%d series ended and %d began, while others of the same metrics went on", one.Ended, one.Began)
		if len(one.By) > 0 {
			what += ", by " + strings.Join(one.By, ", ")
		}
		if len(one.Families) > 0 {
			what += ", such as " + strings.Join(one.Families[:min(len(one.Families), maxNames)], ", ")
		}
		rows = append(rows, []string{relative(one.At, first), node, none, none, "churn", what})
	}
	return rows
}

// unread names the nodes of which that is not known.
func (c *Changes) unread() string {
	var rows [][]string
	for _, u := range c.Unread {
		rows = append(rows, []string{"not known of " + u.Node + ": " + u.Reason})
	}
	return table(rows)
}
