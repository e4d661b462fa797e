package wire

import (
	"fodc/messages"
)

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
	return f
}

// FromRegistration returns what a frame says, for Registration.Validate to judge. A
// clock or a runtime that is none counts as not sent: it is no reason to refuse an
// agent. The registration shares the frame's maps.
func FromRegistration(f *RegisterAgentRequest) messages.Registration {
	r := messages.Registration{
		NodeID:         f.GetNodeId(),
		Role:           f.GetNodeRole(),
		PodName:        f.GetPodName(),
		Labels:         f.GetLabels(),
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
	return r
}

func toAddress(a messages.Address) *Address { return &Address{Ip: a.IP, Port: a.Port} }

func fromAddress(a *Address) messages.Address {
	return messages.Address{IP: a.GetIp(), Port: a.GetPort()}
}
