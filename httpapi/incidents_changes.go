package httpapi

import (
	"context"
	"math"
	"net/http"

	"fodc/recorder/changes"
)

// serveChanges responds with what has changed. Few requests look for that at the same time, since it takes the
// processor and memory; others wait.
func (i *Incidents) serveChanges(w http.ResponseWriter, r *http.Request) error {
	incident, err := i.get(r)
	if err != nil {
		return err
	}
	if r.Method == http.MethodHead {
		w.Header().Set("Content-Type", contentJSON)
		return nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), changesTimeout)
	defer cancel()
	release, err := i.limits.waitForChanges(ctx)
	if err != nil {
		return err
	}
	defer release()
	i.seen(r, incident)
	report, err := i.Changes(ctx, incident.ID)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, changesView(report))
}

// changesView returns the report as JSON can show it: with lists that are not null, and numbers that are finite.
func changesView(r changes.Report) changes.Report {
	view := r
	view.Changes = make([]changes.Change, len(r.Changes))
	for n, c := range r.Changes {
		c.At, c.Nodes = jsonTime(c.At), orNone(c.Nodes)
		c.From, c.To, c.Factor, c.Strength = finite(c.From), finite(c.To), finite(c.Factor), finite(c.Strength)
		c.Chart.Low, c.Chart.High = finite(c.Chart.Low), finite(c.Chart.High)
		c.Chart.Before, c.Chart.After = orNone(c.Chart.Before), orNone(c.Chart.After)
		view.Changes[n] = c
	}
	view.Limits = make([]changes.Limit, len(r.Limits))
	for n, l := range r.Limits {
		l.At, l.Usual, l.Highest, l.Limit = jsonTime(l.At), finite(l.Usual), finite(l.Highest), finite(l.Limit)
		view.Limits[n] = l
	}
	view.Unread = orNone(r.Unread)
	view.Vanished, view.Appeared = groupsView(r.Vanished), groupsView(r.Appeared)
	view.Churn = make([]changes.Churn, len(r.Churn))
	for n, c := range r.Churn {
		c.At, c.By, c.Nodes, c.Families = jsonTime(c.At), orNone(c.By), orNone(c.Nodes), orNone(c.Families)
		view.Churn[n] = c
	}
	return view
}

func groupsView(all []changes.Group) []changes.Group {
	view := make([]changes.Group, len(all))
	for n, g := range all {
		g.At, g.BackAt, g.Families = jsonTime(g.At), jsonTime(g.BackAt), orNone(g.Families)
		view[n] = g
	}
	return view
}

// finite returns the nearest number that JSON has; 0 for none.
func finite(n float64) float64 {
	if math.IsNaN(n) {
		return 0
	}
	return max(-math.MaxFloat64, min(n, math.MaxFloat64))
}

// orNone returns an empty list for nil, which JSON would show as null.
func orNone[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
