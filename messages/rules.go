package messages

import "time"

// RuleGroups is the alerting rules of a process, with their alerts. It is not changed.
type RuleGroups struct {
	Groups []RuleGroup
	// Alerts are those of rules that are in no group: a proxy knows which rules of its agents fire, and not how they are defined.
	Alerts []ActiveAlert
	// LeftOut counts the alerts that were over MaxActiveAlertBytes.
	LeftOut int
}

// RuleGroup is the rules of a group of a file.
type RuleGroup struct {
	Name, File string
	// Interval is how often the rules are evaluated. Limit bounds the alerts of each of them; 0: the file has none.
	Interval time.Duration
	Limit    int
	Rules    []AlertingRule
}

// AlertingRule is a rule, what came of its latest evaluation, and the alerts that are pending or firing.
type AlertingRule struct {
	// Query is the expression as Prometheus writes it, and of a rule that has none a text that says so.
	Name, Query         string
	For, KeepFiringFor  time.Duration
	Labels, Annotations map[string]string
	Alerts              []ActiveAlert
	// State is inactive, pending or firing, Health ok or err. Before the first evaluation, both are unknown.
	State, Health string
	LastError     string
	// EvaluatedAt and Took are of the latest evaluation; zeros: there was none.
	EvaluatedAt time.Time
	Took        time.Duration
}

// ActiveAlert is an alert that is pending or firing.
type ActiveAlert struct {
	// Labels has alertname, too.
	Labels, Annotations map[string]string
	State               string
	// ActiveAt is when the expression first held, KeepFiringSince since when it does not hold any more; zero: it does.
	ActiveAt, KeepFiringSince time.Time
	// Value is that of the expression; NaN: it is not known.
	Value float64
}

// MaxActiveAlertBytes bounds what the alerts of a RuleGroups take, as ActiveAlert.Bytes counts it.
const MaxActiveAlertBytes = 4 << 20

// activeAlertBytes is what an alert takes beside its texts, about.
const activeAlertBytes = 256

// Bytes is about what the alert takes in memory.
func (a *ActiveAlert) Bytes() int {
	n := activeAlertBytes
	for _, texts := range []map[string]string{a.Labels, a.Annotations} {
		for name, text := range texts {
			n += len(name) + len(text)
		}
	}
	return n
}
