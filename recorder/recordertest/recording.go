package recordertest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// MomentInterval is the time between two moments of a recording.
const MomentInterval = 2 * time.Second

// Moment is what an agent saw of a node and its host at one time.
type Moment struct {
	// Node is the page of the database, Host what the kernel said of the host and of the node's process.
	Node, Host []byte
	// Up says that the database answered. Took is how long that, or its failure, took.
	Up   bool
	Took time.Duration
	// At is the time of the host's clock.
	At time.Time
}

// Recording returns the moments of a recording: a .tar.gz of pages of an agent.
func Recording(t testing.TB, file string) []Moment {
	t.Helper()
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	pages := make(map[string][]byte)
	var names []string
	for in := tar.NewReader(z); ; {
		h, err := in.Next()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		if path.Ext(h.Name) != ".prom" {
			continue
		}
		pages[h.Name], err = io.ReadAll(in)
		require.NoError(t, err)
		names = append(names, h.Name)
	}
	slices.Sort(names)
	moments := make([]Moment, len(names))
	for i, name := range names {
		moments[i] = momentOf(pages[name])
	}
	return moments
}

// ofContainer is the label that the agent has added to what the database said.
var ofContainer = regexp.MustCompile(`container_name="data",?`)

// momentOf parts a page of an agent. The agent's own metrics are left out.
func momentOf(page []byte) (m Moment) {
	for line := range bytes.Lines(page) {
		text := string(line)
		name := strings.TrimPrefix(strings.TrimPrefix(text, "# HELP "), "# TYPE ")
		value := func() float64 {
			v, _ := strconv.ParseFloat(strings.TrimSpace(text[strings.LastIndexByte(text, ' ')+1:]), 64)
			return v
		}
		isHost := strings.HasPrefix(name, "node_") || strings.HasPrefix(name, "fodc_node_process_") || strings.HasPrefix(name, "fodc_cgroup_")
		switch {
		case strings.HasPrefix(text, "fodc_node_up"):
			m.Up = value() == 1
		case strings.HasPrefix(text, "fodc_node_scrape_duration_seconds"):
			m.Took = time.Duration(value() * float64(time.Second))
		case strings.HasPrefix(text, "node_time_seconds "):
			m.At = time.UnixMilli(int64(value() * 1e3))
		}
		switch {
		case isHost:
			m.Host = append(m.Host, line...)
		case !strings.HasPrefix(name, "fodc_"):
			m.Node = append(m.Node, strings.Replace(ofContainer.ReplaceAllString(text, ""), "{}", "", 1)...)
		}
	}
	return m
}
