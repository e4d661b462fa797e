package promapi

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"fodc/messages"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
)

// someRules are two groups, the second one with an alert, and an alert of no group.
func someRules() messages.RuleGroups {
	firing := messages.ActiveAlert{Labels: map[string]string{"alertname": "Full", "node_id": "n1"}, Annotations: map[string]string{"summary": "n1 is <full>"},
		State: "firing", ActiveAt: testNow.Add(-time.Minute), KeepFiringSince: testNow.Add(-time.Second), Value: 0.25}
	lost := messages.ActiveAlert{Labels: map[string]string{"alertname": "Lost", "node_id": "n2"}, State: "firing", ActiveAt: testNow, Value: math.NaN()}
	return messages.RuleGroups{Alerts: []messages.ActiveAlert{lost}, Groups: []messages.RuleGroup{
		{Name: "a", File: "builtin.yml", Interval: 10 * time.Second, Rules: []messages.AlertingRule{
			{Name: "Down", Query: "up == 0", State: "unknown", Health: "unknown"}}},
		{Name: "b", File: "/etc/b.yml", Interval: time.Minute, Limit: 5, Rules: []messages.AlertingRule{
			{Name: "Full", Query: "x < 1", For: time.Minute, KeepFiringFor: 90 * time.Second, Labels: map[string]string{"severity": "critical"}, Annotations: map[string]string{"summary": "{{ $value }}"},
				Alerts: []messages.ActiveAlert{firing}, State: "firing", Health: "ok", EvaluatedAt: testNow, Took: time.Millisecond},
			{Name: "Broken", Query: "y", State: "inactive", Health: "err", LastError: "too many", EvaluatedAt: testNow, Took: time.Millisecond}}},
	}}
}

func serveRules(t *testing.T, all messages.RuleGroups, err error) http.Handler {
	cfg := testConfig(loaded(t))
	cfg.Rules = func(ctx context.Context) (messages.RuleGroups, error) {
		_, bounded := ctx.Deadline()
		require.True(t, bounded)
		return all, err
	}
	return serve(New(cfg))
}

const (
	groupA = `{"name":"a","file":"builtin.yml","rules":[{"state":"unknown","name":"Down","query":"up == 0","duration":0,"keepFiringFor":0,"labels":{},"annotations":{},"alerts":[],` +
		`"health":"unknown","evaluationTime":0,"lastEvaluation":"0001-01-01T00:00:00Z","type":"alerting"}],"interval":10,"limit":0,"evaluationTime":0,"lastEvaluation":"0001-01-01T00:00:00Z"}`
	beginB    = `{"name":"b","file":"/etc/b.yml","rules":[`
	endB      = `],"interval":60,"limit":5,"evaluationTime":0.002,"lastEvaluation":"1970-01-01T01:00:00Z"}`
	fullBegin = `{"state":"firing","name":"Full","query":"x \u003c 1","duration":60,"keepFiringFor":90,"labels":{"severity":"critical"},"annotations":{"summary":"{{ $value }}"},"alerts":`
	fullAlert = `{"labels":{"alertname":"Full","node_id":"n1"},"annotations":{"summary":"n1 is \u003cfull\u003e"},"state":"firing","activeAt":"1970-01-01T00:59:00Z",` +
		`"keepFiringSince":"1970-01-01T00:59:59Z","value":"2.5e-01"}`
	fullEnd = `,"health":"ok","evaluationTime":0.001,"lastEvaluation":"1970-01-01T01:00:00Z","type":"alerting"}`
	full    = fullBegin + `[` + fullAlert + `]` + fullEnd
	broken  = `{"state":"inactive","name":"Broken","query":"y","duration":0,"keepFiringFor":0,"labels":{},"annotations":{},"alerts":[],"health":"err","lastError":"too many",` +
		`"evaluationTime":0.001,"lastEvaluation":"1970-01-01T01:00:00Z","type":"alerting"}`
)

// Fields, their order, and what parameters select are as in Prometheus.
func TestRules(t *testing.T) {
	h := serveRules(t, someRules(), nil)
	f := func(want, query string) {
		t.Helper()
		w := get(t, h, "/api/v1/rules?"+query, nil)
		require.Equal(t, `{"status":"success","data":{"groups":[`+want+`}}`, w.Body.String())
	}
	token := groupToken(&someRules().Groups[1])
	groupB := beginB + full + "," + broken + endB
	f(groupA+","+groupB+"]", "")
	f(groupA+","+groupB+"]", "type=Alert")
	f("]", "type=record")
	f(groupB+"]", "rule_group[]=b")
	f(groupB+"]", "file[]=/etc/b.yml&file[]=x")
	f(groupA+"]", "rule_name[]=Down&rule_name[]=x")
	f("]", "rule_name[]=Down&rule_group[]=b")
	f(beginB+broken+endB+"]", "rule_name[]=Broken")
	f(beginB+full+endB+"]", `match[]={severity="critical"}`)
	f(beginB+full+endB+"]", `match[]={severity="x"}&match[]={severity=~"crit.*"}`)
	f(beginB+fullBegin+"null"+fullEnd+endB+"]", "exclude_alerts=true&rule_name[]=Full")
	f(groupA+`],"groupNextToken":"`+token+`"`, "group_limit=1")
	f(groupB+"]", "group_limit=1&group_next_token="+token)
	f(groupA+","+groupB+"]", "group_limit=2")

	w := get(t, h, "/api/v1/rules?group_limit=1&group_next_token=x", nil)
	require.Equal(t, http.StatusBadRequest, w.Code)
	require.Contains(t, w.Body.String(), "were rule groups changed?")
}

func TestAlerts(t *testing.T) {
	w := get(t, serveRules(t, someRules(), nil), "/api/v1/alerts", nil)
	require.Equal(t, `{"status":"success","data":{"alerts":[`+fullAlert+
		`,{"labels":{"alertname":"Lost","node_id":"n2"},"annotations":{},"state":"firing","activeAt":"1970-01-01T01:00:00Z","value":"NaN"}]}}`, w.Body.String())
}

// What is left out, or cannot be had, is said.
func TestRulesAreNotAllThere(t *testing.T) {
	all := someRules()
	all.LeftOut = 7
	for _, path := range []string{"/api/v1/rules", "/api/v1/alerts"} {
		e := envelopeOf(t, get(t, serveRules(t, all, nil), path, nil))
		require.Equal(t, []string{"7 alerts are left out: those shown take 4 MiB, and no more are allowed"}, e.Warnings)
		w := get(t, serveRules(t, messages.RuleGroups{}, messages.Errorf(messages.ErrUnavailable, "it stops")), path, nil)
		require.Equal(t, http.StatusServiceUnavailable, w.Code)
		w = get(t, serveRules(t, messages.RuleGroups{}, errors.New("x")), path, nil)
		require.Equal(t, "error", envelopeOf(t, w).Status)
	}
}

// The client of Prometheus understands the answers.
func TestClientOfPrometheusReadsRules(t *testing.T) {
	s := httptest.NewServer(serveRules(t, someRules(), nil))
	defer s.Close()
	c, err := api.NewClient(api.Config{Address: s.URL, Client: s.Client()})
	require.NoError(t, err)
	rules, err := promv1.NewAPI(c).Rules(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, rules.Groups, 2)
	require.Equal(t, promv1.AlertingRule{Name: "Full", Query: "x < 1", Duration: 60, Labels: model.LabelSet{"severity": "critical"}, Annotations: model.LabelSet{"summary": "{{ $value }}"},
		Alerts: []*promv1.Alert{{ActiveAt: testNow.Add(-time.Minute), Labels: model.LabelSet{"alertname": "Full", "node_id": "n1"}, Annotations: model.LabelSet{"summary": "n1 is <full>"},
			State: promv1.AlertStateFiring, Value: "2.5e-01"}},
		Health: promv1.RuleHealthGood, EvaluationTime: 0.001, LastEvaluation: testNow, State: "firing"}, rules.Groups[1].Rules[0])
	alerts, err := promv1.NewAPI(c).Alerts(t.Context())
	require.NoError(t, err)
	require.Len(t, alerts.Alerts, 2)
	require.Equal(t, "NaN", alerts.Alerts[1].Value)
}
