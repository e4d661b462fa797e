package bundle

import (
	"fmt"
	"slices"
	"strings"

	"fodc/messages"
	"fodc/recorder/changes"
)

// What of an incident is in its README; all of it is in the documents.
const (
	readmeChanges = 12
	readmeEvents  = 200
	readmeNodes   = 100
	readmeMissing = 200
)

// readme says in plain words what happened.
func readme(i *messages.Incident, r *changes.Report) string {
	w := &strings.Builder{}
	fmt.Fprintf(w, "# Incident %s\n\n", i.ID)
	if i.Summary != "" {
		fmt.Fprintf(w, "**%s**\n\n", plain(i.Summary))
	}
	fmt.Fprintf(w, "%s\n\n", about(i))
	if i.Reason != "" {
		fmt.Fprintf(w, "It was asked for by %s: %s\n\n", plain(orUnknown(i.RequestedBy)), plain(i.Reason))
	}
	readmeRules(w, i)
	readmeWhatChanged(w, i, r)
	readmeTimeline(w, i)
	readmeNodeTable(w, i)
	readmeWhatIsMissing(w, i, r)
	readmeHowTo(w, i)
	return w.String()
}

func orUnknown(s string) string {
	if s == "" {
		return "nobody known"
	}
	return s
}

// about is the first paragraph.
func about(i *messages.Incident) string {
	fired := 0
	for _, n := range i.Nodes {
		if n.Kind != messages.IncidentContext {
			fired++
		}
	}
	end := "it was still open when this was written"
	if !i.FrozenAt.IsZero() {
		end = "the evidence was complete at " + clock(i.FrozenAt)
	}
	text := fmt.Sprintf("It first occurred at %s, and was noticed at %s; %s. Severity: %s. It is about %s",
		clock(i.FirstOccurrence), clock(i.OpenedAt), end, plain(orUnknown(i.Severity)), plural(fired, "node"))
	if context := len(i.Nodes) - fired; context > 0 {
		text += fmt.Sprintf("; of %s the same time was kept, to compare", plural(context, "other node"))
	}
	until := "goes on"
	if !i.To.IsZero() {
		until = "is up to " + clock(i.To)
	}
	text += fmt.Sprintf(". The evidence begins at %s, and %s.", clock(i.From), until)
	if i.Repeated > 0 {
		text += fmt.Sprintf(" It has happened %s since, last at %s; of those nothing else was kept.", plural(i.Repeated, "more time"), clock(i.RepeatedAt))
	}
	return text
}

func readmeRules(w *strings.Builder, i *messages.Incident) {
	if len(i.Rules) == 0 {
		return
	}
	fmt.Fprint(w, "## Rules that fired\n\n| first | node | rule | severity | what it says |\n|---|---|---|---|---|\n")
	for _, a := range i.Rules {
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s |\n", since(a.FirstOccurrence, i.FirstOccurrence), plain(a.NodeID), plain(a.Rule), plain(a.Severity), plain(a.Summary))
	}
	fmt.Fprintln(w)
}

func readmeWhatChanged(w *strings.Builder, i *messages.Incident, r *changes.Report) {
	fmt.Fprint(w, "## What changed first\n\n")
	for _, l := range r.Limits {
		fmt.Fprintf(w, "- On %s, %s came to %.0f %% of its limit (%s of %s); usual were %.0f %%. It was over %d %% at %s.\n", plain(l.Node), l.What,
			100*l.Highest/l.Limit, messages.MetricText(l.Name, l.Highest, false), messages.MetricText(l.Name, l.Limit, false), 100*l.Usual/l.Limit, 75, since(l.At, i.FirstOccurrence))
	}
	for _, g := range r.Vanished {
		back := "they did not come back"
		if !g.BackAt.IsZero() {
			back = "they were back at " + since(g.BackAt, i.FirstOccurrence)
		}
		fmt.Fprintf(w, "- On %s, %s ended at %s; %s. Such as %s.\n", plain(g.Node), seriesText(g.Series, ""), since(g.At, i.FirstOccurrence), back, codes(g.Families))
	}
	for _, g := range r.Appeared {
		fmt.Fprintf(w, "- On %s, %s began at %s. Such as %s.\n", plain(g.Node), seriesText(g.Series, "new "), since(g.At, i.FirstOccurrence), codes(g.Families))
	}
	if len(r.Limits)+len(r.Vanished)+len(r.Appeared) > 0 {
		fmt.Fprintln(w)
	}
	if len(r.Changes) == 0 {
		fmt.Fprintf(w, "No series has left its usual course: %d were looked at, and %d had enough samples before.\n\n", r.Series, r.Judged)
		readmeChurn(w, i, r)
		return
	}
	fmt.Fprint(w, "| when | node | what | from | to | series |\n|---|---|---|---|---|---|\n")
	for _, c := range r.Changes[:min(readmeChanges, len(r.Changes))] {
		what := c.Name
		if c.Labels != "" {
			what += "{" + c.Labels + "}"
		}
		node := plain(c.Node)
		if more := len(c.Nodes) - 1; more > 0 {
			node += fmt.Sprintf(", then %d more", more)
		}
		fmt.Fprintf(w, "| %s | %s | %s %s | %s | %s | %d |\n", since(c.At, i.FirstOccurrence), node, code(what), word(&c), messages.MetricText(c.Name, c.From, c.PerSecond), messages.MetricText(c.Name, c.To, c.PerSecond), c.Series)
	}
	fmt.Fprintln(w)
	if more := len(r.Changes) + r.Dropped - readmeChanges; more > 0 {
		fmt.Fprintf(w, "%s changed, too.\n", plural(more, "more metric"))
	}
	fmt.Fprintf(w, "%s has all of it, with the values for charts.\n\n", changesName)
	readmeChurn(w, i, r)
}

// readmeChurn is behind all else: what comes and goes all the time is seldom why.
func readmeChurn(w *strings.Builder, i *messages.Incident, r *changes.Report) {
	for _, c := range r.Churn {
		nodes := plain(c.Nodes[0])
		if more := len(c.Nodes) - 1; more > 0 {
			nodes += fmt.Sprintf(" and %d more", more)
		}
		fmt.Fprintf(w, "- On %s, from %s on, %s ended and %s began while others of the same metrics went on, as devices come and go (%s). Such as %s.\n",
			nodes, since(c.At, i.FirstOccurrence), seriesText(c.Ended, ""), seriesText(c.Began, ""), codes(c.By), codes(c.Families))
	}
	if len(r.Churn) > 0 {
		fmt.Fprintln(w)
	}
}

// seriesText counts series; the word is the same for one and for many.
func seriesText(n int, adjective string) string { return fmt.Sprintf("%d %sseries", n, adjective) }

// word says how a series has changed.
func word(c *changes.Change) string {
	switch c.Kind {
	case changes.Variance:
		return "swings further from its median"
	case changes.Stopped:
		return "stopped"
	case changes.Spike:
		return "went " + c.Direction + " for one or two scrapes"
	}
	return "went " + c.Direction
}

func codes(names []string) string {
	var all []string
	for _, n := range names[:min(3, len(names))] {
		all = append(all, code(n))
	}
	return strings.Join(all, ", ")
}

func readmeTimeline(w *strings.Builder, i *messages.Incident) {
	fmt.Fprint(w, "## Timeline\n\n")
	if len(i.Timeline) == 0 {
		fmt.Fprint(w, "There are no events.\n\n")
		return
	}
	fmt.Fprint(w, "| time | node | what |\n|---|---|---|\n")
	for _, e := range i.Timeline[:min(readmeEvents, len(i.Timeline))] {
		fmt.Fprintf(w, "| %s | %s | %s: %s |\n", since(e.At, i.FirstOccurrence), plain(e.NodeID), plain(e.Kind), plain(e.Text))
	}
	if more := len(i.Timeline) - readmeEvents; more > 0 {
		fmt.Fprintf(w, "\n%s more are in %s.\n", plural(more, "event"), documentName)
	}
	if i.EventsDropped > 0 {
		fmt.Fprintf(w, "\n%s more were not kept.\n", plural(i.EventsDropped, "event"))
	}
	fmt.Fprintln(w)
}

func readmeNodeTable(w *strings.Builder, i *messages.Incident) {
	fmt.Fprint(w, "## Nodes\n\n| node | role | why it is here | state | evidence | missing | directory |\n|---|---|---|---|---|---|---|\n")
	for _, n := range i.Nodes[:min(readmeNodes, len(i.Nodes))] {
		why := "a rule fired"
		switch n.Kind {
		case messages.IncidentContext:
			why = "neighbour"
		case messages.IncidentRequest:
			why = "asked for"
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s, %s | %d | %s |\n", plain(n.NodeID), plain(n.Role), why, stateText(&n), plural(len(n.Files), "file"), size(n.Bytes), len(n.Missing), code(n.Dir))
	}
	fmt.Fprintln(w)
}

func readmeWhatIsMissing(w *strings.Builder, i *messages.Incident, r *changes.Report) {
	fmt.Fprint(w, "## What is missing\n\n")
	lines := 0
	line := func(node, what, why string) {
		if lines++; lines <= readmeMissing {
			fmt.Fprintf(w, "- %s: %s: %s\n", plain(node), plain(what), plain(why))
		}
	}
	for _, n := range i.Nodes {
		for _, m := range n.Missing {
			line(n.NodeID, m.What, m.Reason)
		}
		switch {
		case n.State == messages.IncidentOpen:
			line(n.NodeID, "the end", "its evidence was not complete yet")
		case isFetched(&n):
			line(n.NodeID, "files", "they were not fetched yet, or not all")
		}
	}
	for _, u := range r.Unread {
		line(u.Node, "what changed", u.Reason)
	}
	if lines == 0 {
		fmt.Fprint(w, "Nothing that was to be collected. ")
	}
	if lines > readmeMissing {
		fmt.Fprintf(w, "- and %s more: see %s\n", plural(lines-readmeMissing, "line"), documentName)
	}
	fmt.Fprintf(w, "\nIf there is a file %s, it names what could not be read when this was written.\n\n", missingName)
}

// readmeHowTo says how the files are opened, with paths that are there.
func readmeHowTo(w *strings.Builder, i *messages.Incident) {
	root := Root(i.ID)
	fmt.Fprintf(w, "## How to open it\n\n"+
		"| what | how |\n|---|---|\n"+
		"| all of it, with queries in PromQL | `fodc view %[1]s.tar.gz`, or `fodc view %[1]s` when it is unpacked |\n"+
		"| unpack | `tar xzf %[1]s.tar.gz`, then `cd %[1]s` and `sha256sum -c SHA256SUMS` |\n", root)
	if dir := blockDirOf(i); dir != "" {
		fmt.Fprintf(w, "| metrics, `nodes/*/block` | `promtool tsdb list %[1]s`, `promtool tsdb dump %[1]s`, `fodc query --dir %[1]s EXPR` |\n", dir)
	}
	if profile := profileOf(i); profile != "" {
		fmt.Fprintf(w, "| profiles, `nodes/*/profiles/*.pb.gz` | `go tool pprof -http=: %s` |\n", profile)
	}
	fmt.Fprint(w, "| the node's process, its logs, its configuration | text and JSON, any editor |\n"+
		"| `incident.json`, `changes.json` | the incident and what changed, for scripts |\n")
}

// blockDirOf returns the directory of the first node's blocks; empty: no node has any.
func blockDirOf(i *messages.Incident) string {
	for _, n := range i.Nodes {
		if slices.ContainsFunc(n.Files, func(f messages.EvidenceFile) bool {
			return f.What == messages.EvidenceMetrics || f.What == messages.EvidenceWindow
		}) {
			return n.Dir + "/" + blockDir
		}
	}
	return ""
}

// profileOf returns the path of a profile that pprof can open, that of a heap if there is one; empty: there is none.
func profileOf(i *messages.Incident) (profile string) {
	for _, n := range i.Nodes {
		for _, f := range n.Files {
			switch isProfile := strings.HasPrefix(f.What, messages.EvidenceProfile) && strings.HasSuffix(f.Path, ".pb.gz"); {
			case isProfile && strings.HasSuffix(f.Path, "heap.pb.gz"):
				return f.Path
			case isProfile && profile == "":
				profile = f.Path
			}
		}
	}
	return profile
}

// missingText names what could not be read while a bundle was written.
func missingText(missing []missingFile) string {
	w := &strings.Builder{}
	fmt.Fprint(w, "# What could not be read when this was written\n\n")
	for _, m := range missing {
		fmt.Fprintf(w, "- %s: %s\n", code(m.path), plain(m.reason))
	}
	return w.String()
}
