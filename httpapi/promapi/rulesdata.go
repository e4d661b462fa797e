package promapi

import (
	"encoding/json"
	"strconv"
	"time"

	"fodc/messages"
)

// The data of rules and alerts: the fields, and their order, are those of Prometheus.
type (
	rulesData struct {
		Groups    []ruleGroup `json:"groups"`
		NextToken string      `json:"groupNextToken,omitempty"`
	}
	ruleGroup struct {
		Name  string         `json:"name"`
		File  string         `json:"file"`
		Rules []alertingRule `json:"rules"`
		// Interval and EvaluationTime are seconds.
		Interval       float64   `json:"interval"`
		Limit          int       `json:"limit"`
		EvaluationTime float64   `json:"evaluationTime"`
		LastEvaluation time.Time `json:"lastEvaluation"`
	}
	alertingRule struct {
		State         string  `json:"state"`
		Name          string  `json:"name"`
		Query         string  `json:"query"`
		Duration      float64 `json:"duration"`
		KeepFiringFor float64 `json:"keepFiringFor"`
		Labels        textMap `json:"labels"`
		Annotations   textMap `json:"annotations"`
		// Alerts is null if the request does not want them.
		Alerts         []alert   `json:"alerts"`
		Health         string    `json:"health"`
		LastError      string    `json:"lastError,omitempty"`
		EvaluationTime float64   `json:"evaluationTime"`
		LastEvaluation time.Time `json:"lastEvaluation"`
		Type           string    `json:"type"`
	}
	alert struct {
		Labels          textMap   `json:"labels"`
		Annotations     textMap   `json:"annotations"`
		State           string    `json:"state"`
		ActiveAt        time.Time `json:"activeAt"`
		KeepFiringSince time.Time `json:"keepFiringSince,omitzero"`
		Value           string    `json:"value"`
	}
)

// textMap is labels, or annotations: none of them is an object, too.
type textMap map[string]string

// MarshalJSON implements json.Marshaler.
func (t textMap) MarshalJSON() ([]byte, error) {
	if t == nil {
		return []byte("{}"), nil
	}
	return json.Marshal(map[string]string(t))
}

func appendAlerts(to []alert, active []messages.ActiveAlert) []alert {
	for _, a := range active {
		to = append(to, alert{Labels: a.Labels, Annotations: a.Annotations, State: a.State, ActiveAt: a.ActiveAt.UTC(), KeepFiringSince: a.KeepFiringSince.UTC(),
			Value: strconv.FormatFloat(a.Value, 'e', -1, 64)})
	}
	return to
}
