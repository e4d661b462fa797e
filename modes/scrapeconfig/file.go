package scrapeconfig

import (
	"fmt"
	"net/url"

	"fodc/modes/httpconfig"

	"github.com/alecthomas/units"
	"github.com/prometheus/common/config"
)

// settings are those of one endpoint, or of all. Their names, and what they mean, are those of a scrape_config of
// Prometheus.
type settings struct {
	Scheme        string                  `yaml:"scheme,omitempty"`
	Params        url.Values              `yaml:"params,omitempty"`
	HonorLabels   bool                    `yaml:"honor_labels,omitempty"`
	SampleLimit   uint32                  `yaml:"sample_limit,omitempty"`
	LabelLimit    uint32                  `yaml:"label_limit,omitempty"`
	BodySizeLimit size                    `yaml:"body_size_limit,omitempty"`
	HTTP          config.HTTPClientConfig `yaml:",inline"`
}

// file is all settings: those of endpoints that are not listed, and those that are listed.
type file struct {
	All       settings   `yaml:",inline"`
	Endpoints []endpoint `yaml:"endpoints,omitempty"`
}

// endpoint is the settings of one endpoint. None of those of the others count for it.
type endpoint struct {
	URL string   `yaml:"url"`
	Own settings `yaml:",inline"`
}

// UnmarshalYAML sets the defaults, and checks what is not a matter of one field.
func (f *file) UnmarshalYAML(unmarshal func(any) error) error {
	type plain file
	f.All.HTTP = config.DefaultHTTPClientConfig
	if err := unmarshal((*plain)(f)); err != nil {
		return err
	}
	return f.All.validate()
}

// UnmarshalYAML sets the defaults, and checks what is not a matter of one field.
func (e *endpoint) UnmarshalYAML(unmarshal func(any) error) error {
	type plain endpoint
	e.Own.HTTP = config.DefaultHTTPClientConfig
	if err := unmarshal((*plain)(e)); err != nil {
		return err
	}
	if e.URL == "" {
		return httpconfig.Fault("an entry of endpoints has no url")
	}
	return e.Own.validate()
}

func (s *settings) validate() error {
	if s.Scheme != "" && s.Scheme != "http" && s.Scheme != "https" {
		return httpconfig.Fault("scheme must be http or https")
	}
	return s.HTTP.Validate()
}

// size is a number of bytes, such as 10MB.
type size int64

// UnmarshalYAML reads a size with a unit, or 0.
func (s *size) UnmarshalYAML(unmarshal func(any) error) error {
	var text string
	if err := unmarshal(&text); err != nil {
		return err
	}
	if text == "" || text == "0" {
		*s = 0
		return nil
	}
	n, err := units.ParseBase2Bytes(text)
	if err != nil || n < 0 {
		return httpconfig.Fault(fmt.Sprintf("body_size_limit must be a size with a unit, such as 10MB, or 0 for none, and is %.40q", text))
	}
	*s = size(n)
	return nil
}
