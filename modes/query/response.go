package query

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Answer is what a server has answered.
type Answer struct {
	Status      int
	ContentType string
	Body        []byte
}

// Response is an answer as Prometheus' HTTP API gives it.
type Response struct {
	// Data is the result.
	Data json.RawMessage
	// Warnings say what is missing of it, Infos what else is to be known.
	Warnings, Infos []string
}

// ServerError is an error that the server has answered.
type ServerError struct{ Type, Text string }

func (e *ServerError) Error() string { return e.Type + ": " + e.Text }

// statusOK is that of HTTP.
const statusOK = 200

// maxShownBytes bounds what an error shows of an answer that is none of Prometheus' API.
const maxShownBytes = 200

// Parse returns the response. The error is a *ServerError if the server has answered with one; else
// it says what the answer is instead.
func Parse(a Answer) (*Response, error) {
	var r struct {
		Status    string
		Data      json.RawMessage
		ErrorType string
		Error     string
		Warnings  []string
		Infos     []string
	}
	err := json.Unmarshal(a.Body, &r)
	switch {
	case err == nil && r.Status == "error":
		return nil, &ServerError{r.ErrorType, r.Error}
	case err == nil && r.Status == "success" && len(r.Data) > 0 && a.Status == statusOK:
		return &Response{Data: r.Data, Warnings: r.Warnings, Infos: r.Infos}, nil
	case a.Status == statusOK && err != nil && strings.HasPrefix(a.ContentType, "application/json"):
		return nil, fmt.Errorf("the answer is cut off or damaged, %d bytes: %w", len(a.Body), err)
	}
	return nil, a.foreign()
}

// foreign is the error of an answer that is none of Prometheus' API.
func (a Answer) foreign() error {
	begin := string(bytes.TrimSpace(a.Body))
	if len(begin) > maxShownBytes {
		begin = strings.ToValidUTF8(begin[:maxShownBytes], "") + "..."
	}
	kind := a.ContentType
	if kind == "" {
		kind = "no content type"
	}
	return fmt.Errorf("this is no answer of Prometheus' HTTP API: status %d, %s: %q", a.Status, kind, begin)
}
