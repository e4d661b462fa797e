package modes

import (
	"cmp"
	"net/url"
	"strings"

	"fodc/actors/agent"
	"fodc/messages"
	"fodc/modes/configfile"
)

// defaultPort is the port of a node's metrics.
const defaultPort = 2121

// targetInput has the values of the flags from which the targets are made.
type targetInput struct {
	endpoints, containers []string
	ports                 []int
}

func targetOptions(in *targetInput) []*option {
	endpoints := listOption(&in.endpoints, "metrics-endpoint", "`URL` of a metrics page; may be given several times")
	endpoints.defaultText = portURL(defaultPort)
	byPort := &option{name: "poll-metrics-ports", repeatable: true, envList: true, kind: configfile.Numbers, numbers: portRange.limits(),
		usage: "`PORT` of a metrics page on this host, short for http://127.0.0.1:PORT/metrics; may be given several times"}
	byPort.parse = func(texts []string) error {
		in.ports = nil
		for _, t := range texts {
			port, err := portRange.parse(byPort.name, t)
			if err != nil {
				return err
			}
			in.ports = append(in.ports, port)
		}
		return nil
	}
	return []*option{endpoints, byPort, listOption(&in.containers, "container-names",
		"`NAME` of the container behind an endpoint; one for each --metrics-endpoint, then one for each --poll-metrics-ports")}
}

// targets pairs the endpoints with their containers. isDefault: no endpoint was given.
func (in targetInput) targets() (targets []TargetConfig, isDefault bool, err error) {
	for _, endpoint := range in.endpoints {
		targets = append(targets, TargetConfig{URL: endpoint})
	}
	for _, port := range in.ports {
		targets = append(targets, TargetConfig{URL: portURL(port)})
	}
	if len(targets) == 0 {
		targets, isDefault = []TargetConfig{{URL: portURL(defaultPort)}}, true
	}
	if len(in.containers) == 0 {
		return targets, isDefault, nil
	}
	if len(in.containers) != len(targets) {
		return nil, false, invalid("container-names", strings.Join(in.containers, " "),
			"must be given once for each endpoint: names %d, endpoints %d", len(in.containers), len(targets))
	}
	for i, name := range in.containers {
		if name == "" {
			return nil, false, invalid("container-names", name, "must not be empty")
		}
		targets[i].ContainerName = name
	}
	return targets, isDefault, nil
}

func (c AgentConfig) checkTargets() error {
	if len(c.Targets) == 0 {
		return absent("metrics-endpoint", "at least one endpoint is needed")
	}
	for _, t := range c.Targets {
		if err := checkEndpoint(t.URL); err != nil {
			return err
		}
		node := validRegistration()
		node.ContainerNames = []string{t.ContainerName}
		if node.Validate() != nil {
			return invalid("container-names", t.ContainerName, textAllowed)
		}
	}
	return cmp.Or(checkDistinct("metrics-endpoint", c.urls(), maxTargets), c.checkNames())
}

// checkNames demands that no two endpoints show as the same one.
func (c AgentConfig) checkNames() error {
	seen := map[string]bool{}
	for _, t := range c.Targets {
		name := agent.Target{URL: t.URL}.Name()
		if seen[name] {
			return invalid("metrics-endpoint", name, "differs from another one in a secret alone, which is not shown: they cannot be told apart")
		}
		seen[name] = true
	}
	return nil
}

func checkEndpoint(text string) error {
	const flag = "metrics-endpoint"
	if len(text) > messages.MaxTextBytes {
		return invalid(flag, text, "must have at most %d bytes", messages.MaxTextBytes)
	}
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || !isPortOrNone(u.Port()) {
		return invalid(flag, text, "must be a URL such as http://HOST:PORT/metrics, with http or https and a host")
	}
	if u.User != nil {
		u.User = nil
		return invalid(flag, u.String(), "must have no user and password: they would show in logs and on pages")
	}
	return nil
}

func isPortOrNone(text string) bool {
	if text == "" {
		return true
	}
	_, err := portRange.parse("", text)
	return err == nil
}
