package recorder

import (
	"testing"

	"github.com/stretchr/testify/require"

	"fodc/messages"
)

func TestTargetLabels(t *testing.T) {
	stamp := []messages.Label{{Name: "container_name", Value: "data"}, {Name: "pod", Value: ""}}
	f := func(sample, want string) {
		t.Helper()
		w := NewWindow(Limits{})
		w.Append(Target{Name: "t", Labels: stamp}, Scrape{At: at(0), Page: textPage(t, sample+" 1\n")})
		require.Equal(t, []string{want}, sampleNames(drain(w.Snapshot(messages.Selection{}))))
	}
	f(`a`, `a{container_name="data"}`)
	f(`a{b="1",z="2"}`, `a{b="1",container_name="data",z="2"}`)
	f(`a{container_name="data"}`, `a{container_name="data"}`)
	f(`a{container_name=""}`, `a{container_name="data"}`)
	f(`a{container_name="x"}`, `a{container_name="data",exported_container_name="x"}`)
	f(`a{container_name="x",exported_container_name="y"}`,
		`a{container_name="data",exported_container_name="y",exported_exported_container_name="x"}`)
	f(`a{container_name="x",exported_container_name=""}`, `a{container_name="data",exported_container_name="x"}`)
	f(`a{pod=""}`, `a{container_name="data"}`)
	f(`a{pod="p"}`, `a{container_name="data",pod="p"}`)
}

// With HonorLabels a label of a sample stays as it is. One without a value keeps that of the target away, as in Prometheus.
func TestLabelsOfSamplesAreHonored(t *testing.T) {
	w := NewWindow(Limits{})
	target := Target{Name: "t", Labels: []messages.Label{{Name: "container_name", Value: "data"}}, HonorLabels: true}
	page := textPage(t, "a{container_name=\"x\"} 1\nb{container_name=\"\"} 2\nc 3\n")
	w.Append(target, Scrape{At: at(0), Page: page})
	require.Equal(t, []string{`a{container_name="x"} 1`, `b{} 2`, `c{container_name="data"} 3`}, latest(w))
	target.HonorLabels = false
	w.Append(target, Scrape{At: at(1), Page: page})
	require.Contains(t, latest(w), `a{container_name="data",exported_container_name="x"} 1`, "it holds from the next scrape on")
	requireConsistent(t, w)
}

// A renamed label of a sample gets a name that no label of the target has.
func TestTargetLabelIsTaken(t *testing.T) {
	w := NewWindow(Limits{})
	target := Target{Name: "t", Labels: []messages.Label{{Name: "a", Value: "1"}, {Name: "exported_a", Value: "2"}}}
	w.Append(target, Scrape{At: at(0), Page: textPage(t, "m{a=\"3\"} 1\nm{a=\"2\"} 2\n")})
	require.Equal(t, []string{
		`m{a="1",exported_a="2",exported_exported_a="2"} 2`,
		`m{a="1",exported_a="2",exported_exported_a="3"} 1`,
	}, latest(w))
}

// New labels of a target make new series; the past keeps the old ones.
func TestTargetLabelsChange(t *testing.T) {
	w := NewWindow(Limits{})
	page := textPage(t, "a 1\n")
	named := func(name string) Target {
		return Target{Name: "t", Labels: []messages.Label{{Name: "c", Value: name}}}
	}
	w.Append(named("old"), Scrape{At: at(0), Page: page})
	w.Append(named("new"), Scrape{At: at(1), Page: page})
	require.Equal(t, []string{`a{c="new"} 1`}, latest(w))
	all := drain(w.Snapshot(everything))
	require.Equal(t, []string{"0:1"}, samplesOf(all, `a{c="old"}`))
	require.Equal(t, []string{"1:1"}, samplesOf(all, `a{c="new"}`))
	requireConsistent(t, w)
}

// The type and help of the newest page hold for the whole window; a sample that
// becomes part of a histogram is another series.
func TestMetadataChanges(t *testing.T) {
	w := NewWindow(Limits{})
	scrape(t, w, 0, "a 1\nh_count 5\n")
	before := w.Snapshot(everything)
	scrape(t, w, 1, "# HELP a late\n# TYPE a counter\na 2\n# TYPE h histogram\nh_count 6\n")
	all := drain(w.Snapshot(everything))
	require.Equal(t, messages.TypeCounter, family(t, all, "a").Type)
	require.Equal(t, "late", family(t, all, "a").Help)
	require.Equal(t, []string{"0:1", "1:2"}, samplesOf(all, "a{}"))
	require.Equal(t, messages.TypeUnknown, family(t, all, "h_count").Type)
	require.Equal(t, messages.TypeHistogram, family(t, all, "h").Type)
	require.Equal(t, messages.SuffixCount, family(t, all, "h").Series[0].Suffix)
	require.Equal(t, []string{"1:6", "0:5"}, samplesOf(all, "h_count{}"), "two families")
	require.Equal(t, messages.TypeUnknown, family(t, drain(before), "a").Type, "a snapshot stays as it was")
	requireConsistent(t, w)
}

// The same series with ever new raw texts takes no more memory.
func TestRawTextsAreBounded(t *testing.T) {
	w := NewWindow(Limits{})
	blanks := ""
	for n := range 20 {
		done := scrape(t, w, n, "a{"+blanks+`x="1"} 1`)
		require.Equal(t, 1, done.Samples)
		blanks += " "
	}
	require.Equal(t, 1, w.Stats().Series)
	require.Len(t, w.sorted[0].cache.entries, maxRawTexts)
	requireConsistent(t, w)
}
