package incidents

import (
	"fmt"
	"strings"
	"time"
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
	} `json:"changes"`
	Dropped  int `json:"dropped"`
	Vanished []struct {
		Node     string    `json:"node_id"`
		At       time.Time `json:"at"`
		Series   int       `json:"series"`
		Families []string  `json:"families"`
	} `json:"vanished"`
	Unread []struct {
		Node   string `json:"node_id"`
		Reason string `json:"reason"`
	} `json:"unread"`
}

func (c *Changes) text(first time.Time) string {
	if len(c.Changes) == 0 && len(c.Vanished) == 0 {
		return "nothing has left its usual course\n" + c.unread()
	}
	rows := [][]string{{"WHEN", "NODE", "FROM", "TO", "HOW", "WHAT"}}
	for _, one := range c.Changes[:min(len(c.Changes), maxShownChanges)] {
		unit := ""
		if one.PerSecond {
			unit = "/s"
		}
		what := one.Name
		if what == "" {
			what = one.Family
		}
		if one.Labels != "" {
			what += "{" + one.Labels + "}"
		}
		if one.Series > 1 {
			what += fmt.Sprintf(" (and %d more of %s)", one.Series-1, one.Family)
		}
		rows = append(rows, []string{relative(one.At, first), one.Node, numberText(one.From) + unit, numberText(one.To) + unit, one.Kind, what})
	}
	for _, v := range c.Vanished[:min(len(c.Vanished), maxShownChanges)] {
		what := fmt.Sprintf("%d series", v.Series)
		if len(v.Families) > 0 {
			what += ", such as " + strings.Join(v.Families[:min(len(v.Families), maxNames)], ", ")
		}
		rows = append(rows, []string{relative(v.At, first), v.Node, none, none, "vanished", what})
	}
	text := table(rows)
	if more := len(c.Changes) - maxShownChanges + c.Dropped; more > 0 {
		text += fmt.Sprintf("and %d more\n", more)
	}
	return text + c.unread()
}

// unread names the nodes of which that is not known.
func (c *Changes) unread() string {
	var rows [][]string
	for _, u := range c.Unread {
		rows = append(rows, []string{"not known of " + u.Node + ": " + u.Reason})
	}
	return table(rows)
}
