package messages

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// RoleUnspecified is the role of a baseline agent that does not know its own yet.
const RoleUnspecified = "ROLE_UNSPECIFIED"

// MaxTextBytes bounds each single text that a peer says of itself.
const MaxTextBytes = 4 << 10

// MaxListBytes bounds the texts of a list that a peer says of itself, all together: its
// labels, its container names, its secondary addresses.
const MaxListBytes = 16 << 10

// Limits of one registration.
const (
	maxNodeLabels         = 64
	maxContainerNames     = 64
	maxSecondaryAddresses = 64
	maxPort               = 65535
	maxHostNameBytes      = 253
	maxHostNameLabelBytes = 63
)

// Identity returns who the node is: its key is the node id, where that is absent
// the pod name, and where that is absent too, the primary address. Where there is no pod
// name, the key stands in its place.
func (r Registration) Identity() Identity {
	id := r.NodeID
	if id == "" {
		id = r.PodName
	}
	if id == "" && !r.Primary.IsZero() {
		id = r.Primary.String()
	}
	return Identity{NodeID: id, Role: r.Role, PodName: cmp.Or(r.PodName, id), PodNameIsNodeID: r.PodName == "", Labels: r.Labels}
}

// Validate returns an *Error of the kind ErrBadData unless the registration can be
// accepted. Its text names the field as the wire contract calls it, the value and
// what is allowed.
func (r Registration) Validate() error {
	for _, check := range []func() error{
		r.checkRole, r.checkIdentity, r.checkContainers, r.checkAddresses, r.checkLabels, r.checkRuntime,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (r Registration) checkRole() error {
	if r.Role == "" {
		return Errorf(ErrBadData, "node_role is empty: a node needs a role")
	}
	if err := checkID("node_role", r.Role); err != nil {
		return err
	}
	for i := range len(r.Role) {
		c := r.Role[i]
		if !isLetter(c) && (i == 0 || !isDigit(c) && c != '_' && c != '-') {
			return Errorf(ErrBadData, "node_role %.100q: a letter, then letters, digits, - and _ are allowed", r.Role)
		}
	}
	return nil
}

func (r Registration) checkIdentity() error {
	if r.Identity().NodeID == "" {
		return Errorf(ErrBadData, "node_id, pod_name and primary_address are all empty: a node needs one of them")
	}
	if err := checkID("node_id", r.NodeID); err != nil {
		return err
	}
	if err := checkID("pod_name", r.PodName); err != nil {
		return err
	}
	return checkID("agent_version", r.AgentVersion)
}

func (r Registration) checkContainers() error {
	if n := len(r.ContainerNames); n > maxContainerNames {
		return Errorf(ErrBadData, "container_names are %d, at most %d are allowed", n, maxContainerNames)
	}
	bytes := 0
	for _, name := range r.ContainerNames {
		if err := checkID("container_names", name); err != nil {
			return err
		}
		bytes += len(name)
	}
	return checkListBytes("container_names", bytes)
}

// checkListBytes checks what the texts of a list take together.
func checkListBytes(field string, bytes int) error {
	if bytes > MaxListBytes {
		return Errorf(ErrBadData, "%s have %d bytes together, at most %d are allowed", field, bytes, MaxListBytes)
	}
	return nil
}

func (r Registration) checkAddresses() error {
	if !r.Primary.IsZero() {
		if err := checkAddress("primary_address", r.Primary); err != nil {
			return err
		}
	}
	if n := len(r.Secondary); n > maxSecondaryAddresses {
		return Errorf(ErrBadData, "secondary_addresses are %d, at most %d are allowed", n, maxSecondaryAddresses)
	}
	bytes := 0
	for _, name := range slices.Sorted(maps.Keys(r.Secondary)) {
		bytes += len(name) + len(r.Secondary[name].IP)
		if name == "" {
			return Errorf(ErrBadData, "secondary_addresses has an address without a name: %.100q", r.Secondary[name].String())
		}
		if err := checkID("secondary_addresses", name); err != nil {
			return err
		}
		if err := checkAddress(fmt.Sprintf("secondary_addresses[%.100q]", name), r.Secondary[name]); err != nil {
			return err
		}
	}
	return checkListBytes("secondary_addresses", bytes)
}

func (r Registration) checkLabels() error {
	if n := len(r.Labels); n > maxNodeLabels {
		return Errorf(ErrBadData, "labels are %d, at most %d are allowed", n, maxNodeLabels)
	}
	bytes := 0
	for _, name := range slices.Sorted(maps.Keys(r.Labels)) {
		bytes += len(name) + len(r.Labels[name])
		if err := CheckLabelName(name); err != nil {
			return Errorf(ErrBadData, "labels: %v", err)
		}
		if err := checkID("labels", name); err != nil {
			return err
		}
		if err := checkText(fmt.Sprintf("labels[%.100q]", name), r.Labels[name]); err != nil {
			return err
		}
	}
	return checkListBytes("labels", bytes)
}

func (r Registration) checkRuntime() error {
	if r.Runtime != nil && !r.Runtime.IsValid() {
		return Errorf(ErrBadData, "runtime with load %v and health %.100q: a number from 0 and %s, %s, %s or nothing are allowed",
			r.Runtime.Load, r.Runtime.Health, HealthHealthy, HealthDegraded, HealthUnreachable)
	}
	return nil
}

// IsValid reports whether the load is a number from 0 and the health is one of the
// Health constants, or not known yet.
func (r Runtime) IsValid() bool {
	switch r.Health {
	case "", HealthHealthy, HealthDegraded, HealthUnreachable:
		return r.Load >= 0 && !math.IsInf(r.Load, 1)
	default:
		return false
	}
}

// checkText accepts any text of a modest length.
func checkText(field, text string) error {
	switch {
	case len(text) > MaxTextBytes:
		return Errorf(ErrBadData, "%s %.100q has %d bytes, at most %d are allowed", field, text, len(text), MaxTextBytes)
	case !utf8.ValidString(text):
		return Errorf(ErrBadData, "%s %.100q is not valid UTF-8", field, text)
	}
	return nil
}

// checkID accepts a text that stands in one line of a log, and in a header, and looks like no other one.
func checkID(field, text string) error {
	if err := checkText(field, text); err != nil {
		return err
	}
	switch {
	case strings.ContainsFunc(text, unicode.IsControl):
		return Errorf(ErrBadData, "%s %.100q holds a control character: none is allowed", field, text)
	case !isGraphic(text):
		return Errorf(ErrBadData, "%s %.100q holds a character that is invisible or turns the direction of writing: none is allowed", field, text)
	}
	return nil
}

// CanBeNodeID reports whether a node can have the text as its node id, or as the name of its pod.
func CanBeNodeID(text string) bool { return text != "" && checkID("node_id", text) == nil }

// isGraphic reports whether all characters can be seen, or are spaces. Logs and JSON escape the others.
func isGraphic(text string) bool {
	return !strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsGraphic(c) })
}

// checkAddress accepts host names too: agents in the field may send either.
func checkAddress(field string, a Address) error {
	if err := checkID(field+" ip", a.IP); err != nil {
		return err
	}
	if _, err := netip.ParseAddr(a.IP); err != nil && !isHostName(a.IP) {
		return Errorf(ErrBadData, "%s ip %.100q: an IP address or a host name is allowed", field, a.IP)
	}
	if a.Port < 1 || a.Port > maxPort {
		return Errorf(ErrBadData, "%s port %d: 1 to %d are allowed", field, a.Port, maxPort)
	}
	return nil
}

// isHostName reports whether the text can be a host's name. One whose last part is
// a number is none: it is an IPv4 address with a mistake in it.
func isHostName(text string) bool {
	if len(text) > maxHostNameBytes {
		return false
	}
	last := ""
	for part := range strings.SplitSeq(strings.TrimSuffix(text, "."), ".") {
		if part == "" || len(part) > maxHostNameLabelBytes || part[0] == '-' || part[len(part)-1] == '-' {
			return false
		}
		for i := range len(part) {
			if c := part[i]; !isLetter(c) && !isDigit(c) && c != '-' && c != '_' {
				return false
			}
		}
		last = part
	}
	return strings.ContainsFunc(last, func(c rune) bool { return c < '0' || c > '9' })
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
