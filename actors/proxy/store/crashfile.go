package store

import (
	"encoding/json"
	"fmt"
	"time"

	"fodc/messages"
)

// crashFile is the JSON of a record. Fields may be added; those that a reader does not know are ignored.
type crashFile struct {
	// Version is crashVersion. A file of another version is left alone.
	Version int               `json:"version"`
	NodeID  string            `json:"node_id"`
	PodName string            `json:"pod_name"`
	Role    string            `json:"node_role"`
	Labels  map[string]string `json:"labels,omitempty"`
	AgentID string            `json:"agent_id"`
	Crash   messages.Crash    `json:"crash"`
	// KeptSince is when the proxy got it.
	KeptSince time.Time `json:"kept_since"`
}

const crashVersion = 1

func encodeCrash(c *messages.KnownCrash) ([]byte, error) {
	id := &c.Identity
	return json.Marshal(crashFile{Version: crashVersion, NodeID: id.NodeID, PodName: id.PodName, Role: id.Role, Labels: id.Labels,
		AgentID: c.AgentID, Crash: c.Crash, KeptSince: c.KeptSince})
}

func decodeCrash(b []byte) (messages.KnownCrash, error) {
	var f crashFile
	if err := json.Unmarshal(b, &f); err != nil {
		return messages.KnownCrash{}, err
	}
	switch {
	case f.Version != crashVersion:
		return messages.KnownCrash{}, fmt.Errorf("version %d: this program reads version %d", f.Version, crashVersion)
	case f.NodeID == "":
		return messages.KnownCrash{}, fmt.Errorf("it names no node")
	}
	return messages.KnownCrash{Identity: messages.Identity{NodeID: f.NodeID, PodName: f.PodName, Role: f.Role, Labels: f.Labels},
		AgentID: f.AgentID, Crash: f.Crash, KeptSince: f.KeptSince}, nil
}
