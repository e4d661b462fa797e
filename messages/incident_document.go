package messages

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// MaxIncidentBytes bounds the document of an incident.
const MaxIncidentBytes = 8 << 20

// Clone returns a deep copy.
func (i *Incident) Clone() Incident {
	c := *i
	c.Rules = slices.Clone(i.Rules)
	for n := range c.Rules {
		c.Rules[n].Labels = maps.Clone(c.Rules[n].Labels)
	}
	c.Nodes = slices.Clone(i.Nodes)
	for n := range c.Nodes {
		c.Nodes[n].Labels = maps.Clone(c.Nodes[n].Labels)
		c.Nodes[n].Files = slices.Clone(c.Nodes[n].Files)
		c.Nodes[n].Missing = slices.Clone(c.Nodes[n].Missing)
	}
	c.Timeline = slices.Clone(i.Timeline)
	return c
}

// Bytes is the size of the evidence of all nodes.
func (i *Incident) Bytes() (bytes int64) {
	for n := range i.Nodes {
		bytes += i.Nodes[n].Bytes
	}
	return bytes
}

// EncodeIncident returns the document of an incident: indented JSON.
func EncodeIncident(i *Incident) ([]byte, error) {
	c := i.Clone()
	c.Version = IncidentVersion
	c.Rules, c.Nodes, c.Timeline = notNil(c.Rules), notNil(c.Nodes), notNil(c.Timeline)
	for n := range c.Nodes {
		c.Nodes[n].Files, c.Nodes[n].Missing = notNil(c.Nodes[n].Files), notNil(c.Nodes[n].Missing)
	}
	b, err := json.MarshalIndent(&c, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("incident %s: %w", i.ID, err)
	}
	return append(b, '\n'), nil
}

func notNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// ParseIncident reads a document, from a peer or from disk. What it accepts is bounded, is valid UTF-8, and
// names no file outside the directory of the incident.
func ParseIncident(b []byte) (Incident, error) {
	if len(b) > MaxIncidentBytes {
		return Incident{}, fmt.Errorf("the incident has %d bytes, at most %d are allowed", len(b), MaxIncidentBytes)
	}
	var i Incident
	if err := json.Unmarshal(b, &i); err != nil {
		return Incident{}, fmt.Errorf("the incident is not valid JSON: %w", err)
	}
	if err := i.check(); err != nil {
		return Incident{}, err
	}
	i.bound()
	return i, nil
}

func (i *Incident) check() error {
	if !ValidIncidentID(i.ID) {
		return fmt.Errorf("the incident's id %.40q is no ULID", i.ID)
	}
	if i.Version < 1 {
		return fmt.Errorf("incident %s: the version %d is not valid", i.ID, i.Version)
	}
	switch {
	case len(i.Rules) > MaxIncidentAlerts:
		return fmt.Errorf("incident %s has %d rules, at most %d are allowed", i.ID, len(i.Rules), MaxIncidentAlerts)
	case len(i.Nodes) > MaxIncidentNodes:
		return fmt.Errorf("incident %s has %d nodes, at most %d are allowed", i.ID, len(i.Nodes), MaxIncidentNodes)
	case len(i.Timeline) > MaxIncidentEvents:
		return fmt.Errorf("incident %s has %d events, at most %d are allowed", i.ID, len(i.Timeline), MaxIncidentEvents)
	}
	for n := range i.Nodes {
		if err := i.Nodes[n].check(); err != nil {
			return fmt.Errorf("incident %s: %w", i.ID, err)
		}
	}
	return nil
}

func (n *IncidentNode) check() error {
	switch {
	case !ValidEvidencePath(n.Dir):
		return fmt.Errorf("node %.100q: the directory %.200q is not valid", n.NodeID, n.Dir)
	case len(n.Files) > MaxEvidenceFiles:
		return fmt.Errorf("node %.100q has %d files, at most %d are allowed", n.NodeID, len(n.Files), MaxEvidenceFiles)
	case len(n.Missing) > MaxEvidenceMissing:
		return fmt.Errorf("node %.100q misses %d files, at most %d are allowed", n.NodeID, len(n.Missing), MaxEvidenceMissing)
	}
	for i := range n.Files {
		f := &n.Files[i]
		if !ValidEvidencePath(f.Path) || !strings.HasPrefix(f.Path, n.Dir+"/") {
			return fmt.Errorf("node %.100q: the file %.200q is not valid", n.NodeID, f.Path)
		}
		if f.Bytes < 0 {
			return fmt.Errorf("node %.100q: the file %.200q: the size %d is not valid", n.NodeID, f.Path, f.Bytes)
		}
	}
	return nil
}

// idAlphabet is that of a ULID.
const idAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// ValidIncidentID reports whether a text is a ULID, in its canonical form.
func ValidIncidentID(id string) bool {
	return len(id) == 26 && id[0] <= '7' && strings.Trim(id, idAlphabet) == ""
}

// maxEvidencePath bounds a path in the directory of an incident, in bytes.
const maxEvidencePath = 512

// ValidEvidencePath reports whether a path is one that a file of an incident may have on all systems: relative,
// clean, with slashes, and of letters, digits and ._-=+@ alone.
func ValidEvidencePath(p string) bool {
	if p == "" || len(p) > maxEvidencePath || path.Clean(p) != p || p[0] == '/' {
		return false
	}
	for _, part := range strings.Split(p, "/") {
		if part == "." || part == ".." || len(part) > 200 || strings.HasSuffix(part, ".") || isDeviceName(part) {
			return false
		}
	}
	return strings.IndexFunc(p, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("/._-=+@", r))
	}) < 0
}

// isDeviceName reports whether Windows has a device of that name.
func isDeviceName(part string) bool {
	name, _, _ := strings.Cut(strings.ToUpper(part), ".")
	switch name {
	case "CON", "PRN", "AUX", "NUL":
		return true
	}
	return len(name) == 4 && (strings.HasPrefix(name, "COM") || strings.HasPrefix(name, "LPT")) && name[3] >= '0' && name[3] <= '9'
}

// ErrIncidentOpen is the error of what cannot be done while an incident is open.
var ErrIncidentOpen = errors.New("the incident is open")

// EvidenceDir returns the directory of a node's files in that of an incident. Two different node ids may
// have the same only if they differ in nothing that a file name can have: then a hash tells them apart.
func EvidenceDir(nodeID string) string {
	clean := strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("._-", r) {
			return r
		}
		return '_'
	}, nodeID)
	dir := "nodes/" + clean
	if clean == nodeID && len(clean) <= 100 && ValidEvidencePath(dir) && strings.ToLower(clean) == clean {
		return dir
	}
	return fmt.Sprintf("nodes/%.100s-%08x", strings.Trim(clean, "."), hash32(nodeID))
}

// hash32 is FNV-1a.
func hash32(s string) uint32 {
	h := uint32(2166136261)
	for i := range len(s) {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return h
}
