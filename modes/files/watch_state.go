package files

import (
	"slices"
	"time"
)

const (
	// settleTime is how long two files of one version may take to be swapped.
	settleTime = time.Second
	// expiryWarning is how long before the end of a certificate the log warns of it.
	expiryWarning = 7 * 24 * time.Hour
	// expiryAgain is the time between two warnings of the same certificate.
	expiryAgain = 24 * time.Hour
)

// Status is what became of the files of a flag.
type Status struct {
	// Flag is the flag, without dashes.
	Flag string
	// Failed says why the files cannot be used as they are now; empty: they are in use.
	Failed string
	// LoadedAt is when the version in use was read.
	LoadedAt     time.Time
	Certificates []Certificate
}

// watchState decides for one value.
type watchState struct {
	status Status
	// doubt is why the newest version failed once; empty: it did not. Two files of a version are not swapped at once, so
	// a failure counts when it comes again.
	doubt  string
	warned map[Certificate]time.Time // when the log has warned of it
}

func newWatchState(flag string) *watchState {
	return &watchState{status: Status{Flag: flag}, warned: map[Certificate]time.Time{}}
}

// mustLoad reports whether the value is to be made anew. What has failed is tried again even if its files are the same:
// a certificate may have become valid.
func (s *watchState) mustLoad(unchanged bool) bool {
	return !unchanged || s.doubt != "" || s.status.Failed != ""
}

// next is the time until the files are compared again.
func (s *watchState) next() time.Duration {
	if s.doubt != "" {
		return settleTime
	}
	return Interval
}

func (s *watchState) loaded(certificates []Certificate, now time.Time) {
	s.doubt, s.status.Failed, s.status.LoadedAt, s.status.Certificates = "", "", now, certificates
}

// failed takes why there is no new version. It reports whether that is news.
func (s *watchState) failed(why error) (news bool) {
	text := why.Error()
	if s.status.Failed == text {
		return false
	}
	if s.doubt != text {
		s.doubt = text
		return false
	}
	s.doubt, s.status.Failed = "", text
	return true
}

// expiring returns the certificates that the log is to warn of now.
func (s *watchState) expiring(now time.Time) (warn []Certificate) {
	for _, c := range s.status.Certificates {
		if now.Before(c.NotAfter.Add(-expiryWarning)) || now.Sub(s.warned[c]) < expiryAgain {
			continue
		}
		s.warned[c] = now
		warn = append(warn, c)
	}
	for c := range s.warned {
		if !slices.Contains(s.status.Certificates, c) {
			delete(s.warned, c)
		}
	}
	return warn
}
