package httpapi

import "fodc/messages"

// schemaSeries are the series of the schema that the last page had.
type schemaSeries map[string]bool

// schema sets the series of the groups' schema: one for each group, with the status that holds. What the
// last page had of other groups and statuses goes.
func (m *selfMetrics) schema(known map[string]*messages.SchemaConsistency) {
	now := schemaSeries{}
	for group, c := range known {
		name := seriesName(familySchema, "group", group, "status", c.Status.String())
		now[name] = true
		m.set.GetOrCreateGauge(name, nil).Set(1)
	}
	for name := range m.schemas {
		if !now[name] {
			m.set.UnregisterMetric(name)
		}
	}
	m.schemas = now
}
