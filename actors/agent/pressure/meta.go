package pressure

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"fodc/messages"
)

const metaName = "meta.json"

// Limits of what a meta.json says.
const (
	maxMetaBytes  = 16 << 10
	maxFiles      = 16
	maxNameBytes  = 64
	maxErrorBytes = 300
	maxTextBytes  = 256
)

// meta is the contents of meta.json. Fields that are not known are ignored.
type meta struct {
	ProfileID        string    `json:"profile_id"`
	CapturedAt       time.Time `json:"captured_at"`
	SourceEndpoint   string    `json:"source_endpoint"`
	RSSBytes         uint64    `json:"rss_bytes"`
	CgroupLimitBytes uint64    `json:"cgroup_limit_bytes"`
	TriggerPercent   uint32    `json:"trigger_percent"`
	ThresholdBytes   uint64    `json:"threshold_bytes"`
	// First says that there was no other artifact when it was captured.
	First    bool       `json:"first,omitempty"`
	Profiles []metaFile `json:"profiles"`
	// Missing are the profiles that could not be captured.
	Missing []metaMissing `json:"missing,omitempty"`
}

type metaFile struct {
	Type      string `json:"type"`
	Filename  string `json:"filename"`
	Format    string `json:"format"`
	SizeBytes int64  `json:"size_bytes"`
}

type metaMissing struct {
	Type  string `json:"type"`
	Error string `json:"error"`
}

func (m *meta) encode() ([]byte, error) {
	text, err := json.MarshalIndent(m, "", "  ")
	if err == nil && len(text) >= maxMetaBytes {
		err = fmt.Errorf("%s of %d bytes, at most %d are allowed", metaName, len(text), maxMetaBytes)
	}
	return append(text, '\n'), err
}

// parseMeta parses the meta.json of the artifact with the id.
func parseMeta(text []byte, id string) (*meta, error) {
	if len(text) > maxMetaBytes {
		return nil, fmt.Errorf("%s of %d bytes, at most %d are allowed", metaName, len(text), maxMetaBytes)
	}
	var m meta
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("%s: %w", metaName, err)
	}
	if m.ProfileID != id {
		return nil, fmt.Errorf("%s is that of %.40q", metaName, m.ProfileID)
	}
	if len(m.Profiles) == 0 || len(m.Profiles) > maxFiles {
		return nil, fmt.Errorf("%s has %d profiles: 1 to %d are allowed", metaName, len(m.Profiles), maxFiles)
	}
	types, names := map[string]bool{}, map[string]bool{}
	for _, f := range m.Profiles {
		if err := f.check(); err != nil {
			return nil, fmt.Errorf("%s: %w", metaName, err)
		}
		if types[f.Type] || names[f.Filename] {
			return nil, fmt.Errorf("%s has the profile %q or its file twice", metaName, f.Type)
		}
		types[f.Type], names[f.Filename] = true, true
	}
	m.SourceEndpoint = cut(m.SourceEndpoint, maxTextBytes)
	return &m, nil
}

func (f metaFile) check() error {
	switch {
	case !isPlainName(f.Type), f.Type == metaName:
		return fmt.Errorf("%.80q is no type of a profile", f.Type)
	case !isPlainName(f.Filename), f.Filename == metaName:
		return fmt.Errorf("%.80q is no name of a profile's file", f.Filename)
	case f.Format != "" && !isPlainName(f.Format):
		return fmt.Errorf("%.80q is no format", f.Format)
	case f.SizeBytes < 0:
		return errors.New("a profile has a negative size")
	}
	return nil
}

// isPlainName reports whether a name is of lower case letters, digits, _, - and dots in between:
// one that means the same file on every system, and no other.
func isPlainName(name string) bool {
	if name == "" || len(name) > maxNameBytes || name[0] == '.' || strings.HasSuffix(name, ".") {
		return false
	}
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' && c != '.' {
			return false
		}
	}
	return true
}

// record returns what proxies are told. The paths of files are filled in by the store.
func (m *meta) record(at time.Time) messages.PressureProfile {
	p := messages.PressureProfile{ID: m.ProfileID, CapturedAt: at, SourceEndpoint: m.SourceEndpoint, RSSBytes: m.RSSBytes,
		LimitBytes: m.CgroupLimitBytes, TriggerPercent: m.TriggerPercent, ThresholdBytes: m.ThresholdBytes}
	for _, f := range m.Profiles {
		p.Files = append(p.Files, messages.ProfileFile{Type: f.Type, Filename: f.Filename, Format: f.Format, SizeBytes: f.SizeBytes})
	}
	return p
}

// cut returns the first bytes of a text, as valid UTF-8.
func cut(text string, limit int) string { return strings.ToValidUTF8(text[:min(len(text), limit)], "") }
