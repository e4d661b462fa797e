package incidents

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Answer is what a server has answered.
type Answer struct {
	Status      int
	ContentType string
	Body        []byte
}

// ServerError is an error that the server has answered.
type ServerError struct{ Text string }

func (e *ServerError) Error() string { return e.Text }

const (
	// maxShownBytes bounds what an error shows of an answer that is not one of fodc.
	maxShownBytes = 200
	maxErrorBytes = 2000
)

// Decode decodes the answer into a value. It returns a *ServerError if the server has answered with an error.
func (a Answer) Decode(value any) error {
	if err := a.Err(); err != nil {
		return err
	}
	if err := json.Unmarshal(a.Body, value); err != nil {
		if strings.HasPrefix(a.ContentType, "application/json") {
			return fmt.Errorf("the answer is cut off or damaged, %d bytes: %w", len(a.Body), err)
		}
		return a.foreign()
	}
	return nil
}

// Err returns the error that the server has answered; nil if the status says that all is well.
func (a Answer) Err() error {
	if a.Status >= 200 && a.Status < 300 {
		return nil
	}
	var e struct{ Status, Error string }
	if err := json.Unmarshal(a.Body, &e); err != nil || e.Status != "error" || e.Error == "" {
		return a.foreign()
	}
	return &ServerError{cut(e.Error, maxErrorBytes)}
}

// foreign is the error of an answer that is not one of fodc.
func (a Answer) foreign() error {
	kind := a.ContentType
	if kind == "" {
		kind = "no content type"
	}
	return fmt.Errorf("this is no answer of a proxy or an agent of fodc: status %d, %s: %q", a.Status, kind, cut(string(bytes.TrimSpace(a.Body)), maxShownBytes))
}

func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}

// Summary is an element of the list that the server answers.
type Summary struct {
	ID              string    `json:"id"`
	State           string    `json:"state"`
	FirstOccurrence time.Time `json:"first_occurrence"`
	Severity        string    `json:"severity"`
	Summary         string    `json:"summary"`
	Rules           []string  `json:"rules"`
	Nodes           []struct {
		NodeID string `json:"node_id"`
		Kind   string `json:"kind"`
		State  string `json:"state"`
	} `json:"nodes"`
	Pinned       bool      `json:"pinned"`
	SeenAt       time.Time `json:"seen_at"`
	Repeated     int       `json:"repeated"`
	Bytes        int64     `json:"bytes"`
	MissingCount int       `json:"missing_count"`
}
