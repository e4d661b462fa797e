package proxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

const (
	// alertsPath is that of Alertmanager's API, behind the path of its URL.
	alertsPath = "api/v2/alerts"
	// maxAlertAnswer bounds what is read of an answer, and maxAlertError what an error quotes of it.
	maxAlertAnswer = 4 << 10
	maxAlertError  = 200
)

// alertClient sends alerts over HTTP.
type alertClient struct{ http func() *http.Client }

// newAlertClient returns a client that uses what the function returns, with a timeout.
func newAlertClient(client func() *http.Client) *alertClient {
	if client == nil {
		client = anybodysClient()
	}
	return &alertClient{func() *http.Client {
		c := *client()
		c.Timeout = alertTimeout
		return &c
	}}
}

func anybodysClient() func() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true // There is one request a minute.
	return func() *http.Client { return &http.Client{Transport: transport} }
}

// post sends a body to an Alertmanager. The user and password of its URL are sent as basic authentication; no error
// has them.
func (c *alertClient) post(ctx context.Context, to *url.URL, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.JoinPath(alertsPath).String(), bytes.NewReader(body))
	if err != nil {
		return errors.New("the URL is not valid")
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "fodc")
	response, err := c.http().Do(r)
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err
	}
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(response.Body, maxAlertAnswer))
	switch code := response.StatusCode; {
	case code/100 == 2:
		return nil
	case code == http.StatusBadRequest, code == http.StatusRequestEntityTooLarge, code == http.StatusUnprocessableEntity:
		return fmt.Errorf("%w: status %d: %s", errAlertsRefused, code, quoted(text))
	default:
		return fmt.Errorf("status %d: %s", code, quoted(text))
	}
}

func quoted(text []byte) string {
	return fmt.Sprintf("%q", strings.ToValidUTF8(string(text[:min(len(text), maxAlertError)]), ""))
}
