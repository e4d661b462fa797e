package messages

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of a node's configuration. Those of parameters are for each of its two
// sections; keys and values are counted in bytes, values as JSON.
const (
	MaxConfigParams     = 1024
	MaxConfigBytes      = 64 << 10
	MaxConfigKeyBytes   = 512
	MaxConfigValueBytes = 4 << 10
	// MaxConfigNotes bounds the number of sources and of errors, MaxConfigNoteBytes the
	// length of each.
	MaxConfigNotes     = 64
	MaxConfigNoteBytes = 1 << 10
)

// ConfigParam is a parameter of a node.
type ConfigParam struct {
	Key string
	// Value is JSON: a string, a number, true, false, null, or an empty list or object.
	Value string
}

// NodeConfig is how a node is configured, as its agent has read it. Values that look
// like secrets are masked by the agent.
type NodeConfig struct {
	// CollectedAt is when the agent first read the parameters in their present state, by its
	// clock.
	CollectedAt time.Time
	// StartupParams is the command line of the node's process, RuntimeConfig its files
	// and environment. Both are sorted by key, and have each key once.
	StartupParams []ConfigParam
	RuntimeConfig []ConfigParam
	// Sources are the files and processes that were read.
	Sources []string
	// Errors says what could not be read, or not wholly.
	Errors []string
	// Process tells one process of the node from the next; empty if none was found. It stays at the agent.
	Process string
}

// NodeConfiguration is a node of the cluster with its configuration.
type NodeConfiguration struct {
	Identity Identity
	Status   Status
	// Config is nil where the agent has sent none.
	Config *NodeConfig
}

// SameParams reports whether two configurations have the same parameters.
func (c *NodeConfig) SameParams(other *NodeConfig) bool {
	return slices.Equal(c.StartupParams, other.StartupParams) && slices.Equal(c.RuntimeConfig, other.RuntimeConfig)
}

// MemoryBytes is about what the configuration takes in memory.
func (c *NodeConfig) MemoryBytes() int {
	const textBytes = 16 // of the header of a text
	bytes := 0
	for _, params := range [][]ConfigParam{c.StartupParams, c.RuntimeConfig} {
		for _, p := range params {
			bytes += len(p.Key) + len(p.Value) + 2*textBytes
		}
	}
	for _, notes := range [][]string{c.Sources, c.Errors} {
		for _, note := range notes {
			bytes += len(note) + textBytes
		}
	}
	return bytes
}

// Validate returns an *Error of the kind ErrBadData unless the configuration is valid and
// within the limits. Its text quotes no value, which could be a secret.
func (c *NodeConfig) Validate() error {
	if err := checkParams("startup_params", c.StartupParams); err != nil {
		return err
	}
	if err := checkParams("runtime_config", c.RuntimeConfig); err != nil {
		return err
	}
	if err := checkNotes("sources", c.Sources); err != nil {
		return err
	}
	return checkNotes("errors", c.Errors)
}

func checkParams(section string, params []ConfigParam) error {
	if n := len(params); n > MaxConfigParams {
		return Errorf(ErrBadData, "%s are %d, at most %d are allowed", section, n, MaxConfigParams)
	}
	size := 0
	for i, p := range params {
		size += len(p.Key) + len(p.Value)
		switch {
		case p.Key == "" || !utf8.ValidString(p.Key):
			return Errorf(ErrBadData, "%s[%d] has a key that is empty or not valid UTF-8", section, i)
		case len(p.Key) > MaxConfigKeyBytes:
			return Errorf(ErrBadData, "%s[%.100q] has a key of %d bytes, at most %d are allowed", section, p.Key, len(p.Key), MaxConfigKeyBytes)
		case i > 0 && p.Key <= params[i-1].Key:
			return Errorf(ErrBadData, "%s[%.100q] is not sorted, or there twice", section, p.Key)
		case len(p.Value) > MaxConfigValueBytes:
			return Errorf(ErrBadData, "%s[%.100q] has a value of %d bytes, at most %d are allowed", section, p.Key, len(p.Value), MaxConfigValueBytes)
		case !isScalar(p.Value):
			return Errorf(ErrBadData, "%s[%.100q] has a value that is no single value of JSON", section, p.Key)
		}
	}
	if size > MaxConfigBytes {
		return Errorf(ErrBadData, "%s have %d bytes, at most %d are allowed", section, size, MaxConfigBytes)
	}
	return nil
}

// isScalar reports whether the text is JSON that holds one value at most.
func isScalar(text string) bool {
	if text == "[]" || text == "{}" {
		return true
	}
	return text != "" && !strings.ContainsAny(text[:1], "[{ \t\r\n") && !strings.ContainsAny(text[len(text)-1:], " \t\r\n") &&
		utf8.ValidString(text) && json.Valid([]byte(text))
}

func checkNotes(field string, notes []string) error {
	if n := len(notes); n > MaxConfigNotes {
		return Errorf(ErrBadData, "%s are %d, at most %d are allowed", field, n, MaxConfigNotes)
	}
	for i, note := range notes {
		if len(note) > MaxConfigNoteBytes || !utf8.ValidString(note) {
			return Errorf(ErrBadData, "%s[%d] has %d bytes or is not valid UTF-8: at most %d are allowed", field, i, len(note), MaxConfigNoteBytes)
		}
	}
	return nil
}

// KeepKnown returns the configuration, with sections of the former one in place of those that
// could not be read. CollectedAt is then that of the former one. An agent that is restarted
// beside a dead node must not erase the node's last configuration.
func (c *NodeConfig) KeepKnown(known *NodeConfig) *NodeConfig {
	if known == nil || len(c.Errors) == 0 {
		return c
	}
	kept := *c
	keep := func(section string, have *[]ConfigParam, was []ConfigParam) {
		if len(*have) > 0 || len(was) == 0 {
			return
		}
		*have, kept.CollectedAt = was, known.CollectedAt
		note := section + " is what was collected at " + known.CollectedAt.UTC().Format(time.RFC3339)
		kept.Errors = append(kept.Errors[:len(kept.Errors):len(kept.Errors)], note)
	}
	keep("startup_params", &kept.StartupParams, known.StartupParams)
	keep("runtime_config", &kept.RuntimeConfig, known.RuntimeConfig)
	return &kept
}
