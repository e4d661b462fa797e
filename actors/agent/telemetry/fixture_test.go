package telemetry

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fodc/messages"
	"fodc/recorder"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the golden pages")

// readAt is the clock of the fixtures.
var readAt = time.Unix(1700009999, 500_000_000)

// fixtureSpace is the file systems of the fixtures.
func fixtureSpace(dir string) (Space, error) {
	space := Space{Path: dir, Size: 1000, Free: 500, Available: 400, Files: 100, FilesFree: 60}
	switch dir {
	case "/data/one", "/data/two":
		space.Device = 1
		return space, nil
	case "/srv", "/srv/more":
		space.Device = 3
		return space, nil
	case "/link": // to an NFS mount
		space.Path, space.Device, space.ReadOnly = "/mnt/old data/x", 2, true
		return space, nil
	default:
		return Space{}, &fs.PathError{Op: "lstat", Path: dir, Err: fs.ErrNotExist}
	}
}

// modern is all that there is to read of testdata/v2, old of testdata/v1.
func modern(root string) Config {
	return Config{Root: root, DataDirs: []string{"/data/one", "/data/two", "/link", "/srv"}, NodeProcess: "banyandb-server-static", Stat: fixtureSpace}
}

func old(root string) Config {
	return Config{Root: root, DataDirs: []string{"/data/one"}, NodeProcess: "node (x) y", Stat: fixtureSpace}
}

// readAll reads each source once; of results that are the same it keeps the first.
func readAll(sources []*Source) (all []recorder.Sample, problems map[string]error) {
	problems = map[string]error{}
	seen := map[string]bool{}
	for _, s := range sources {
		r := s.Read(readAt)
		for _, o := range r.Outcomes {
			if o.Err != nil {
				problems[o.Part] = o.Err
			}
		}
		if r.DedupKey == "" || !seen[r.DedupKey] {
			all = append(all, r.Samples...)
		}
		seen[r.DedupKey] = true
	}
	return all, problems
}

// page writes the samples as text, each family where its first one is.
func page(all []recorder.Sample) string {
	order, samples := []string{}, map[string]string{}
	for _, r := range all {
		if _, known := samples[r.Name]; !known {
			order = append(order, r.Name)
			samples[r.Name] = fmt.Sprintf("# HELP %s %s\n# TYPE %s %s\n", r.Name, r.Help, r.Name, r.Type)
		}
		samples[r.Name] += series(r) + fmt.Sprintf(" %v\n", r.Value)
	}
	var b strings.Builder
	for _, name := range order {
		b.WriteString(samples[name])
	}
	return b.String()
}

func series(r recorder.Sample) string {
	if len(r.Labels) == 0 {
		return r.Name
	}
	return r.Name + "{" + string(messages.RenderLabels(append([]messages.Label(nil), r.Labels...))) + "}"
}

// values returns the samples by their series.
func values(all []recorder.Sample) map[string]float64 {
	m := make(map[string]float64, len(all))
	for _, r := range all {
		m[series(r)] = r.Value
	}
	return m
}

// checkSamples requires that the samples can be recorded as they are.
func checkSamples(t *testing.T, all []recorder.Sample) {
	t.Helper()
	w := recorder.NewWindow(recorder.Limits{})
	done := w.Append(recorder.Target{Name: "host"}, recorder.Scrape{At: readAt, Samples: all})
	require.Equal(t, recorder.AppendResult{Samples: len(all), NewSeries: len(all)}, done)
	types, helps := map[string]messages.MetricType{}, map[string]string{}
	for _, r := range all {
		require.NotEmpty(t, r.Help, r.Name)
		if _, known := types[r.Name]; known {
			require.Equal(t, types[r.Name], r.Type, r.Name)
			require.Equal(t, helps[r.Name], r.Help, r.Name)
		}
		types[r.Name], helps[r.Name] = r.Type, r.Help
	}
}

// copyHost returns the root of a host of its own, like that of testdata.
func copyHost(t testing.TB, name string) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.CopyFS(root, os.DirFS(filepath.Join("testdata", name))))
	return root
}

// filesOf returns the files and links of a host, from its root.
func filesOf(t testing.TB, root string) (names []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, err = filepath.Rel(root, name)
			names = append(names, filepath.ToSlash(name))
		}
		return err
	}))
	return names
}

func write(t testing.TB, root, name, text string) {
	t.Helper()
	name = filepath.Join(root, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
	require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
}

var errStale = errors.New("stale file handle")
