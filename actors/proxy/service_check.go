package proxy

import (
	"context"
	"errors"

	"fodc/actors"
	"fodc/messages/wire"

	"google.golang.org/grpc"
)

// CheckRegistration says whether a registration would be accepted. It has the limits of a registration: those of the
// connection, of its first frame and of the address. The connection does not count as one with a session.
func (v *service) CheckRegistration(g grpc.BidiStreamingServer[wire.RegisterAgentRequest, wire.RegisterAgentResponse]) error {
	return runInGoroutine(func() error {
		first, err := v.firstFrame(g)
		if err != nil {
			v.counters.checked(err)
			v.logSilent(g.Context(), textCheckRefused, err)
			return err
		}
		ctx, cancel := context.WithTimeout(g.Context(), actorTimeout)
		defer cancel()
		answer, err := actors.Ask[admissible](ctx, v.sys, v.registry, checkAdmission{registration: wire.FromRegistration(first),
			peer: peerAddress(g.Context()), shown: shownBy(g.Context())})
		v.counters.checked(err)
		var rejected *rejection
		switch {
		case err == nil:
			return g.Send(wire.WelcomeFrame(wire.Welcome{Success: true, Message: answer.text}))
		case errors.As(err, &rejected):
			return g.Send(wire.WelcomeFrame(wire.Welcome{Message: rejected.text}))
		}
		return v.noAnswer()
	})
}
