package wire

import (
	"maps"
	"time"

	"fodc/messages"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
)

// maxRoundTrip bounds the round trip that an agent may report: it gives up a slower session.
const maxRoundTrip = time.Hour

// RegistrationFrame returns the frame of a registration or heartbeat. It shares the
// registration's maps.
func RegistrationFrame(r messages.Registration) *RegisterAgentRequest {
	f := &RegisterAgentRequest{
		NodeRole:       r.Role,
		Labels:         r.Labels,
		PodName:        r.PodName,
		ContainerNames: r.ContainerNames,
		NodeId:         r.NodeID,
		AgentVersion:   r.AgentVersion,
		Capabilities:   toCapabilities(r.Capabilities),
		Clock:          toTimestamp(r.Clock),
	}
	if !r.Primary.IsZero() {
		f.PrimaryAddress = toAddress(r.Primary)
	}
	if len(r.Secondary) > 0 {
		f.SecondaryAddresses = make(map[string]*Address, len(r.Secondary))
		for name, a := range r.Secondary {
			f.SecondaryAddresses[name] = toAddress(a)
		}
	}
	if r.Runtime != nil {
		f.Runtime = &NodeRuntime{Load: r.Runtime.Load, Health: r.Runtime.Health}
	}
	if r.Timing != nil {
		f.RoundTrip, f.ClockOffset = durationpb.New(r.Timing.RoundTrip), durationpb.New(r.Timing.ClockOffset)
	}
	if r.Config != nil {
		f.Configuration = toConfiguration(r.Config)
	}
	return f
}

// ReadRegistration reads an encoded frame. The result does not refer to the bytes. The error
// says that they are not a valid message.
func ReadRegistration(b []byte) (messages.Registration, error) {
	f := &RegisterAgentRequest{}
	if err := proto.Unmarshal(b, f); err != nil {
		return messages.Registration{}, err
	}
	return FromRegistration(f), nil
}

// FromRegistration returns what a frame says, before Registration.Validate checks it. An
// invalid clock, runtime or timing counts as not sent, because an agent is not refused for it.
// An invalid configuration is replaced by an empty one with the reason. The registration
// shares the frame's maps.
func FromRegistration(f *RegisterAgentRequest) messages.Registration {
	r := messages.Registration{
		NodeID:         f.GetNodeId(),
		Role:           f.GetNodeRole(),
		PodName:        f.GetPodName(),
		Labels:         fromLabels(f.GetLabels()),
		ContainerNames: f.GetContainerNames(),
		Primary:        fromAddress(f.GetPrimaryAddress()),
		AgentVersion:   f.GetAgentVersion(),
		Capabilities:   fromCapabilities(f.GetCapabilities()),
		Clock:          fromTimestamp(f.GetClock()),
	}
	if secondary := f.GetSecondaryAddresses(); len(secondary) > 0 {
		r.Secondary = make(map[string]messages.Address, len(secondary))
		for name, a := range secondary {
			r.Secondary[name] = fromAddress(a)
		}
	}
	if sent := f.GetRuntime(); sent != nil {
		runtime := messages.Runtime{Load: sent.GetLoad(), Health: sent.GetHealth()}
		if runtime.IsValid() {
			r.Runtime = &runtime
		}
	}
	r.Timing = fromTiming(f.GetRoundTrip(), f.GetClockOffset())
	r.Config = fromConfiguration(f.GetConfiguration())
	return r
}

// fromLabels returns the labels that have a value. A label with an empty value is no label.
func fromLabels(sent map[string]string) map[string]string {
	isEmpty := func(_, value string) bool { return value == "" }
	for name, value := range sent {
		if isEmpty(name, value) {
			kept := maps.Clone(sent)
			maps.DeleteFunc(kept, isEmpty)
			return kept
		}
	}
	return sent
}

// fromTiming returns nil unless both are there and valid.
func fromTiming(roundTrip, offset *durationpb.Duration) *messages.Timing {
	if !roundTrip.IsValid() || !offset.IsValid() {
		return nil
	}
	t := messages.Timing{RoundTrip: roundTrip.AsDuration(), ClockOffset: offset.AsDuration()}
	if t.RoundTrip < 0 || t.RoundTrip > maxRoundTrip {
		return nil
	}
	return &t
}

func toAddress(a messages.Address) *Address { return &Address{Ip: a.IP, Port: a.Port} }

func fromAddress(a *Address) messages.Address {
	return messages.Address{IP: a.GetIp(), Port: a.GetPort()}
}
