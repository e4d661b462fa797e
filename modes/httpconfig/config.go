package httpconfig

import (
	"crypto/x509"
	"fmt"
	"path/filepath"

	"github.com/prometheus/common/config"
)

// Load reads a file that is an HTTPClientConfig, and the files that it names. The error names the file.
func Load(path string, read ReadFile) (config.HTTPClientConfig, []*x509.Certificate, error) {
	var c config.HTTPClientConfig
	content, err := read(path)
	if err != nil {
		return c, nil, err
	}
	c = config.DefaultHTTPClientConfig
	if err := Unmarshal(content, &c); err != nil {
		return c, nil, fmt.Errorf("%q: %w", path, err)
	}
	certificates, err := Inline(&c, filepath.Dir(path), read)
	if err != nil {
		return c, nil, fmt.Errorf("%q: %w", path, err)
	}
	return c, certificates, nil
}
