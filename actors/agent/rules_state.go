package agent

import "time"

const (
	// evaluationTimeout bounds an evaluation of all rules.
	evaluationTimeout = 10 * time.Second
	// evaluationHangs is after which time an evaluation counts as hanging. No other one begins until it returns.
	evaluationHangs = 3 * evaluationTimeout
	// rulePollInterval is how often it is looked whether the files of rules have changed.
	rulePollInterval = 15 * time.Second
)

// rulesState decides when the rules are evaluated and read again, and what is logged of that.
type rulesState struct {
	schedule   schedule
	evaluating bool
	since      time.Time // of the evaluation that is under way
	hangs      bool
	failure    failureLog
	// evaluatedOnce says that they were, with what was recorded before the start. shutdown is when the agent before
	// this one was killed; zero: it was not.
	evaluatedOnce bool
	shutdown      time.Time

	loading bool
	// again says that the files are to be read whether they have changed or not.
	again bool
	// stamp says which files there were, and of when; empty: that is not known.
	stamp string
	// loadedAt is when rules were read last, failed says that the newest read has failed.
	loadedAt time.Time
	failed   bool
}

func newRulesState(interval time.Duration, now time.Time) *rulesState {
	return &rulesState{schedule: newSchedule("rules", interval), loadedAt: now}
}

// due returns whether an evaluation begins, and after which time to ask again.
func (s *rulesState) due(now time.Time) (start bool, after time.Duration, entry *logEntry) {
	after = s.schedule.next(now).Sub(now)
	if !s.evaluating {
		s.evaluating, s.since, s.hangs = true, now, false
		return true, after, nil
	}
	if !s.hangs && now.Sub(s.since) >= evaluationHangs {
		s.hangs = true
		entry = &logEntry{warn: true, text: "rules are not evaluated", cause: "an evaluation does not end"}
	}
	return false, after, entry
}

// evaluated takes the result of an evaluation.
func (s *rulesState) evaluated(cause string, recovering bool, now time.Time) (entries []logEntry) {
	if s.hangs {
		entries = append(entries, logEntry{text: "rules are evaluated again", lasted: now.Sub(s.since), times: 1})
	}
	s.evaluating, s.hangs = false, false
	switch {
	case recovering:
	case cause != "":
		if s.failure.record(cause, now) {
			entries = append(entries, logEntry{warn: true, text: "rules cannot be evaluated", cause: cause})
		}
	default:
		if lasted, times, was := s.failure.end(now); was {
			entries = append(entries, logEntry{text: "all rules can be evaluated again", lasted: lasted, times: times})
		}
	}
	return entries
}

// startLoad reports whether the files are to be looked at now.
func (s *rulesState) startLoad() bool {
	if s.loading {
		return false
	}
	s.loading, s.again = true, false
	return true
}

// loaded takes what became of the files. replaced says that there are other rules.
func (s *rulesState) loaded(stamp string, replaced bool, cause string, now time.Time) *logEntry {
	s.loading = false
	if stamp != "" {
		s.stamp = stamp
	}
	switch {
	case cause != "":
		s.failed = true
		return &logEntry{warn: true, text: "the files of rules cannot be read: the rules of before stay in force (--rule-file)", cause: cause}
	case replaced:
		s.failed, s.loadedAt = false, now
		return &logEntry{text: "the files of rules were read"}
	}
	return nil
}
