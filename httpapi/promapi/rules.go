package promapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"fodc/messages"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/util/annotations"
)

// rulesTimeout bounds the wait for the rules and alerts.
const rulesTimeout = 5 * time.Second

// rulesQuery is the parameters of a request for rules.
type rulesQuery struct {
	matchers            [][]*labels.Matcher
	kind                string
	names, groups, file []string
	excludeAlerts       bool
	limit               int // of the groups; 0: there is none
	token               string
}

func (r *request) rulesQuery() (q rulesQuery, err error) {
	if q.matchers, err = r.matchers(); err != nil {
		return q, badData("%v", err)
	}
	if q.kind = strings.ToLower(r.one("type")); q.kind != "" && q.kind != "alert" && q.kind != "record" {
		return q, badParameter("type", fmt.Errorf("not supported value %q", truncated(q.kind)))
	}
	if exclude := strings.ToLower(r.one("exclude_alerts")); exclude != "" {
		if q.excludeAlerts, err = strconv.ParseBool(exclude); err != nil {
			return q, badParameter("exclude_alerts", fmt.Errorf("error converting exclude_alerts: %w", err))
		}
	}
	limit, token := r.one("group_limit"), r.one("group_next_token")
	if limit != "" {
		n, err := strconv.ParseInt(limit, 10, 32)
		if err != nil {
			return q, badParameter("group_limit", fmt.Errorf("group_limit needs to be a valid number: %w", err))
		}
		if n <= 0 {
			return q, badParameter("group_limit", errors.New("group_limit needs to be greater than 0"))
		}
		q.limit = int(n)
	}
	if token != "" && limit == "" {
		return q, badParameter("group_next_token", errors.New("group_limit needs to be present in order to paginate over the groups"))
	}
	q.token, q.names, q.groups, q.file = token, r.all("rule_name[]"), r.all("rule_group[]"), r.all("file[]")
	return q, nil
}

// rules answers with the groups of rules that the request selects.
func (a *API) rules(r *request) (result, error) {
	q, err := r.rulesQuery()
	if err != nil {
		return result{}, err
	}
	all, err := a.ruleGroups(r)
	if err != nil {
		return result{}, err
	}
	data := rulesData{Groups: []ruleGroup{}}
	found := q.token == ""
	for i := range all.Groups {
		g := &all.Groups[i]
		if found = found || q.token == groupToken(g); !found || !among(q.groups, g.Name) || !among(q.file, g.File) {
			continue
		}
		shown := q.group(g)
		if len(shown.Rules) == 0 {
			continue
		}
		if q.limit > 0 && len(data.Groups) == q.limit {
			data.NextToken = groupToken(g)
			break
		}
		data.Groups = append(data.Groups, shown)
	}
	if !found {
		return result{}, badParameter("group_next_token", fmt.Errorf("invalid group_next_token '%v'. were rule groups changed?", truncated(q.token)))
	}
	return result{data: data, warnings: leftOut(all)}, nil
}

// group returns a group with those of its rules that the request selects.
func (q *rulesQuery) group(g *messages.RuleGroup) ruleGroup {
	shown := ruleGroup{Name: g.Name, File: g.File, Interval: g.Interval.Seconds(), Limit: g.Limit, Rules: []alertingRule{}}
	for i := range g.Rules {
		r := &g.Rules[i]
		shown.EvaluationTime += r.Took.Seconds()
		if r.EvaluatedAt.After(shown.LastEvaluation) {
			shown.LastEvaluation = r.EvaluatedAt.UTC()
		}
		if q.kind == "record" || !among(q.names, r.Name) || !q.matches(r) {
			continue
		}
		rule := alertingRule{State: r.State, Name: r.Name, Query: r.Query, Duration: r.For.Seconds(), KeepFiringFor: r.KeepFiringFor.Seconds(), Labels: r.Labels,
			Annotations: r.Annotations, Health: r.Health, LastError: r.LastError, EvaluationTime: r.Took.Seconds(), LastEvaluation: r.EvaluatedAt.UTC(), Type: "alerting"}
		if !q.excludeAlerts {
			rule.Alerts = appendAlerts([]alert{}, r.Alerts)
		}
		shown.Rules = append(shown.Rules, rule)
	}
	return shown
}

func (q *rulesQuery) matches(r *messages.AlertingRule) bool {
	return len(q.matchers) == 0 || slices.ContainsFunc(q.matchers, func(set []*labels.Matcher) bool {
		return !slices.ContainsFunc(set, func(m *labels.Matcher) bool { return !m.Matches(r.Labels[m.Name]) })
	})
}

// among reports whether a value is one of those that are wanted; none means any.
func among(wanted []string, value string) bool {
	return len(wanted) == 0 || slices.Contains(wanted, value)
}

// groupToken is what a request asks with for the groups from this one on.
func groupToken(g *messages.RuleGroup) string {
	sum := sha256.Sum256([]byte(g.File + ";" + g.Name))
	return hex.EncodeToString(sum[:])
}

// alerts answers with the alerts of all rules.
func (a *API) alerts(r *request) (result, error) {
	all, err := a.ruleGroups(r)
	if err != nil {
		return result{}, err
	}
	list := []alert{}
	for i := range all.Groups {
		for j := range all.Groups[i].Rules {
			list = appendAlerts(list, all.Groups[i].Rules[j].Alerts)
		}
	}
	return result{data: object{"alerts": appendAlerts(list, all.Alerts)}, warnings: leftOut(all)}, nil
}

func (a *API) ruleGroups(r *request) (messages.RuleGroups, error) {
	if a.cfg.Rules == nil {
		return messages.RuleGroups{}, nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), rulesTimeout)
	defer cancel()
	return a.cfg.Rules(ctx)
}

func leftOut(all messages.RuleGroups) (warnings annotations.Annotations) {
	if all.LeftOut > 0 {
		warnings.Add(fmt.Errorf("%d alerts are left out: those shown take %d MiB, and no more are allowed", all.LeftOut, messages.MaxActiveAlertBytes>>20))
	}
	return warnings
}

func (a *API) alertmanagers(*request) (result, error) {
	return result{data: object{"activeAlertmanagers": []any{}, "droppedAlertmanagers": []any{}}}, nil
}
