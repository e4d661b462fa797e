package promapi

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// rules answers that there are none. Parameters are checked as if there were some.
func (a *API) rules(r *request) (result, error) {
	if _, err := r.matchers(); err != nil {
		return result{}, badData("%v", err)
	}
	if kind := strings.ToLower(r.one("type")); kind != "" && kind != "alert" && kind != "record" {
		return result{}, badParameter("type", fmt.Errorf("not supported value %q", truncated(kind)))
	}
	if exclude := strings.ToLower(r.one("exclude_alerts")); exclude != "" {
		if _, err := strconv.ParseBool(exclude); err != nil {
			return result{}, badParameter("exclude_alerts", fmt.Errorf("error converting exclude_alerts: %w", err))
		}
	}
	limit, token := r.one("group_limit"), r.one("group_next_token")
	if limit != "" {
		n, err := strconv.ParseInt(limit, 10, 32)
		if err != nil {
			return result{}, badParameter("group_limit", fmt.Errorf("group_limit needs to be a valid number: %w", err))
		}
		if n <= 0 {
			return result{}, badParameter("group_limit", errors.New("group_limit needs to be greater than 0"))
		}
	}
	switch {
	case token != "" && limit == "":
		return result{}, badParameter("group_next_token", errors.New("group_limit needs to be present in order to paginate over the groups"))
	case token != "":
		return result{}, badParameter("group_next_token", fmt.Errorf("invalid group_next_token '%v'. were rule groups changed?", truncated(token)))
	}
	// They are never filtered, but they are parameters of the route.
	for _, name := range []string{"rule_name[]", "rule_group[]", "file[]"} {
		r.all(name)
	}
	return result{data: object{"groups": []any{}}}, nil
}

func (a *API) alerts(*request) (result, error) {
	return result{data: object{"alerts": []any{}}}, nil
}

func (a *API) alertmanagers(*request) (result, error) {
	return result{data: object{"activeAlertmanagers": []any{}, "droppedAlertmanagers": []any{}}}, nil
}
