package httpapi

import (
	"time"

	"fodc/messages"
)

// window returns the window of start_time and end_time; an absent bound is open.
func (p params) window() (messages.Window, error) {
	var w messages.Window
	for _, bound := range []struct {
		name string
		at   *time.Time
	}{{"start_time", &w.Start}, {"end_time", &w.End}} {
		text, err := p.one(bound.name)
		if err != nil {
			return w, err
		}
		if text == "" {
			continue
		}
		if *bound.at, err = messages.ParseTime(text); err != nil {
			return w, messages.Errorf(messages.ErrBadData, "%s %q: %v", bound.name, truncated(text), err)
		}
	}
	if !w.Start.IsZero() && !w.End.IsZero() && w.Start.After(w.End) {
		return w, messages.Errorf(messages.ErrBadData, "start_time %s is after end_time %s",
			w.Start.Format(time.RFC3339Nano), w.End.Format(time.RFC3339Nano))
	}
	return w, nil
}
