package access

import (
	"sync/atomic"
	"time"

	"fodc/messages"
)

// Reason is why a request is refused.
type Reason string

// The reasons, as metrics have them.
const (
	NoCredentials    Reason = "no_credentials"
	WrongPassword    Reason = "wrong_password"
	WrongToken       Reason = "wrong_token"
	WrongCertificate Reason = "wrong_certificate"
	OnlyReads        Reason = "only_reads"
	OtherSite        Reason = "other_site"
	OtherHost        Reason = "other_host"
	Busy             Reason = "busy"
	RateLimit        Reason = "rate_limit"
)

// Reasons are all of them.
var Reasons = []Reason{NoCredentials, WrongPassword, WrongToken, WrongCertificate, OnlyReads, OtherSite, OtherHost, Busy, RateLimit}

// Refusal is the error of a request that is refused.
type Refusal struct {
	Reason Reason
	// Err is what the client is told.
	Err *messages.Error
	// Challenges are the values of WWW-Authenticate.
	Challenges []string
	// User is who it claims to be, if there is somebody of that name. Others may have typed a password there.
	User string
}

func (r *Refusal) Error() string { return r.Err.Text }

// Unwrap makes the kind of the error known.
func (r *Refusal) Unwrap() error { return r.Err }

func refused(why Reason, kind messages.ErrorKind, format string, args ...any) *Refusal {
	return &Refusal{Reason: why, Err: messages.Errorf(kind, format, args...)}
}

// later says that the request may succeed at another time.
func later(why Reason, format string, args ...any) *Refusal {
	return &Refusal{Reason: why, Err: messages.Errorf(messages.ErrTooMany, format, args...).TryAgain(time.Second)}
}

// counts counts refusals, by the index of the reason.
type counts [16]atomic.Uint64

func (c *counts) add(why Reason) {
	for i, r := range Reasons {
		if r == why {
			c[i].Add(1)
		}
	}
}

func (c *counts) all() map[Reason]uint64 {
	all := make(map[Reason]uint64, len(Reasons))
	for i, r := range Reasons {
		all[r] = c[i].Load()
	}
	return all
}
