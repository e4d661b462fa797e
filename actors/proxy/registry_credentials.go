package proxy

import (
	"fodc/messages"

	"go.uber.org/zap"
	"google.golang.org/grpc/status"
)

// revocation is the end of a session whose certificate or token is not accepted any more.
type revocation struct{ why *rejection }

func (r *revocation) Error() string { return r.why.text }

// GRPCStatus is the status with which the streams of the session end.
func (r *revocation) GRPCStatus() *status.Status { return status.Convert(r.why.status()) }

// Recheck ends the sessions whose certificate or token is not accepted any more. It is to be called
// when what Credentials.Trusted or Credentials.Tokens say has changed. It does not wait. Agents close their
// connections then; those of others are closed after unregisteredTimeout.
func (p *Proxy) Recheck() { p.sys.Send(p.registry, recheckCredentials{}) }

// onRecheck needs no look at registrations under way: they are checked when they arrive here, and
// what is accepted has changed before the message was sent.
func (r *registry) onRecheck() {
	for agentID, s := range r.sessions {
		if why := r.cfg.Credentials.revoked(s.accepted); why != nil {
			r.sendToSession(agentID, endSession{&revocation{why}})
		}
	}
}

// onDisplaced logs nodes that were removed for one with a certificate, and ends their sessions.
func (r *registry) onDisplaced(displaced []eviction) {
	for _, e := range displaced {
		r.cfg.peers.warn(logDisplaced, r.log, "agent removed: it has no certificate, and the node id or the pod name of one that has",
			zap.String("node_id", e.nodeID))
		r.sendToSession(e.agentID, endSession{errDisplaced})
	}
}

// verifiedFields adds to a line how an agent has shown who it is, if agents are asked for that.
func (r *registry) verifiedFields(v messages.Verified, fields ...zap.Field) []zap.Field {
	if !r.cfg.Credentials.asked() {
		return fields
	}
	fields = append(fields, zap.Bool("verified", !v.IsZero()))
	if v.Certificate != "" {
		fields = append(fields, zap.String("certificate", truncate(v.Certificate)))
	}
	if v.Token != "" {
		fields = append(fields, zap.String("token_name", truncate(v.Token)))
	}
	return fields
}
