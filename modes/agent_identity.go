package modes

import (
	"cmp"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"fodc/messages"
	"fodc/modes/configfile"
)

const (
	textAllowed  = "must be one line of at most 4096 bytes, in UTF-8, without characters that are invisible or turn the direction of writing"
	labelAllowed = "must be NAME=VALUE, or several of them with commas between; each name once, at most 64 names, " +
		"each text not empty, one line, at most 4096 bytes (a name: 1024)"
	secondaryAllowed = "must be NAME=IP:PORT, with a port from 1 to 65535; each name once, at most 64 names"
)

// validRegistration returns a registration that every proxy accepts. To check one value, set
// it there and call Validate, so that the rules are those of the proxy.
func validRegistration() messages.Registration { return messages.Registration{NodeID: "n", Role: "r"} }

func (c AgentConfig) checkIdentity() error {
	if c.NodeID == "" {
		return absent("node-id", "it, or --pod-name, must say which node this is")
	}
	if c.NodeRole == "" && !c.asksForRole() {
		return absent("node-role", "it must say what the node is, such as liaison or datanode-hot, or --cluster-state-ports where the node says that itself")
	}
	checks := []struct {
		flag, value, allowed string
		set                  func(*messages.Registration)
	}{
		{"pod-name", c.PodName, textAllowed, func(r *messages.Registration) { r.PodName = c.PodName }},
		{"node-id", c.NodeID, textAllowed, func(r *messages.Registration) { r.NodeID = c.NodeID }},
		{"node-role", c.NodeRole, "must be a letter, then letters, digits, - and _, at most 4096 bytes",
			func(r *messages.Registration) { r.Role = cmp.Or(c.NodeRole, r.Role) }},
		{"node-labels", joinLabels(c.NodeLabels), labelAllowed, func(r *messages.Registration) { r.Labels = c.NodeLabels }},
		{"secondary-address", joinAddresses(c.SecondaryAddresses), secondaryAllowed,
			func(r *messages.Registration) { r.Secondary = c.SecondaryAddresses }},
	}
	for _, check := range checks {
		r := validRegistration()
		check.set(&r)
		if r.Validate() != nil {
			return invalid(check.flag, check.value, "%s", check.allowed)
		}
	}
	return nil
}

func (c AgentConfig) checkNodeIP() error {
	if c.NodeIP == "" {
		return nil
	}
	ip, err := netip.ParseAddr(c.NodeIP)
	if err != nil || ip.IsUnspecified() {
		return invalid("node-ip", c.NodeIP, "must be the IP address of the node, IPv4 or IPv6")
	}
	return nil
}

func labelsOption(dst *map[string]string) *option {
	const name = "node-labels"
	return &option{name: name, repeatable: true, kind: configfile.Pairs,
		usage: "`LABELS` of the node, name=value with commas between, stamped on its series as node_<name>",
		parse: func(texts []string) error {
			*dst = nil
			for _, text := range texts {
				for pair := range strings.SplitSeq(text, ",") {
					key, value, found := strings.Cut(strings.TrimSpace(pair), "=")
					if _, twice := (*dst)[key]; !found || key == "" || value == "" || twice {
						return invalid(name, pair, labelAllowed)
					}
					if *dst == nil {
						*dst = map[string]string{}
					}
					(*dst)[key] = value
				}
			}
			return nil
		}}
}

func secondaryOption(dst *map[string]messages.Address) *option {
	const name = "secondary-address"
	return &option{name: name, repeatable: true, envList: true, kind: configfile.Pairs,
		usage: "another `ADDRESS` of the node, name=ip:port; may be given several times",
		parse: func(texts []string) error {
			*dst = nil
			for _, text := range texts {
				key, address, ok := cutAddress(text)
				if _, twice := (*dst)[key]; !ok || twice {
					return invalid(name, text, secondaryAllowed)
				}
				if *dst == nil {
					*dst = map[string]messages.Address{}
				}
				(*dst)[key] = address
			}
			return nil
		}}
}

func cutAddress(text string) (name string, a messages.Address, ok bool) {
	name, addr, found := strings.Cut(text, "=")
	ip, port, err := net.SplitHostPort(addr)
	if !found || name == "" || err != nil {
		return "", a, false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return name, messages.Address{IP: ip, Port: int32(n)}, err == nil && n > 0
}

func joinLabels(labels map[string]string) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		pairs = append(pairs, name+"="+labels[name])
	}
	return strings.Join(pairs, ",")
}

func joinAddresses(addresses map[string]messages.Address) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(addresses)) {
		pairs = append(pairs, name+"="+addresses[name].String())
	}
	return strings.Join(pairs, " ")
}
