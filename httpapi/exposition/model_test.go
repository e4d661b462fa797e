package exposition

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"pgregory.net/rapid"

	"fodc/messages"
)

// naive is what a page must hold, found in a simple and slow way: with maps of
// labels, sample by sample.
type naive struct {
	points       map[modelKey]uint64
	types, helps map[string]string
	conflicts    Conflicts
}

type modelKey struct {
	series string
	time   int64
}

// modelOf takes valid collections only.
func modelOf(c *messages.Collection, o Options) naive {
	m := naive{points: map[modelKey]uint64{}, types: map[string]string{}, helps: map[string]string{}}
	nodes := slices.SortedFunc(slices.Values(c.Nodes), func(a, b messages.NodeAnswer) int {
		return cmp.Compare(a.Identity.NodeID, b.Identity.NodeID)
	})
	kinds, kept := m.resolve(nodes)
	for _, n := range nodes {
		m.addNode(n, kinds, kept, o)
		var version []messages.Label
		if n.AgentVersion != "" {
			version = []messages.Label{{Name: "version", Value: n.AgentVersion}}
		}
		m.add(labelsOf(n, familyInfo, version, true), 1)
		if n.Missing == messages.MissingNone {
			m.add(labelsOf(n, FamilyUp, nil, true), 1)
			m.add(labelsOf(n, familyDuration, nil, true), n.Took.Seconds())
			if n.Partial != messages.PartialNone {
				m.add(labelsOf(n, familyPartial, []messages.Label{{Name: "reason", Value: string(n.Partial)}}, true), 1)
			}
		} else {
			m.add(labelsOf(n, FamilyUp, nil, true), 0)
			m.add(labelsOf(n, familyMissing, []messages.Label{{Name: "reason", Value: string(n.Missing)}}, true), 1)
		}
	}
	return m
}

func (m *naive) add(series string, v float64) { m.points[modelKey{series, untimed}] = valueBits(v) }

type familyOfNode struct {
	name, node string
}

// resolve finds the type of each family, and which nodes take part in it.
func (m *naive) resolve(nodes []messages.NodeAnswer) (map[string]messages.MetricType, map[familyOfNode]bool) {
	said := map[string]map[string]messages.MetricType{} // by family and node
	for _, n := range nodes {
		for _, b := range n.Blocks {
			for f := range b.Each() {
				if said[f.Name] == nil {
					said[f.Name] = map[string]messages.MetricType{}
				}
				if said[f.Name][n.Identity.NodeID] == messages.TypeUnknown {
					said[f.Name][n.Identity.NodeID] = f.Type
				}
			}
		}
	}
	kinds := map[string]messages.MetricType{}
	kept := map[familyOfNode]bool{}
	count := map[string]int{}
	names := slices.Sorted(maps.Keys(said))
	for _, name := range names {
		if IsReserved(name) {
			m.conflicts.Reserved += len(said[name])
			continue
		}
		ids := slices.Sorted(maps.Keys(said[name]))
		best := 0
		for _, id := range ids {
			votes := 0
			for _, other := range ids {
				if said[name][other] == said[name][id] {
					votes++
				}
			}
			if said[name][id] != messages.TypeUnknown && votes > best {
				best, kinds[name] = votes, said[name][id]
			}
		}
		for _, id := range ids {
			lost, has := false, false
			for _, n := range nodes {
				for _, b := range n.Blocks {
					for f := range b.Each() {
						if n.Identity.NodeID == id && f.Name == name {
							ok := mayStay(*f, kinds[name])
							lost, has = lost || !ok, has || ok
						}
					}
				}
			}
			if kept[familyOfNode{name, id}] = has; has {
				count[name]++
			}
			if lost {
				m.conflicts.Type++
			}
		}
	}
	m.resolveClashes(names, kinds, kept, count)
	return kinds, kept
}

// resolveClashes drops what uses the name of a histogram's or summary's samples.
func (m *naive) resolveClashes(names []string, kinds map[string]messages.MetricType, kept map[familyOfNode]bool, count map[string]int) {
	for _, name := range names {
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			base, ok := strings.CutSuffix(name, suffix)
			if !ok || count[base] == 0 || !isCompound(kinds[base]) || suffix == "_bucket" && kinds[base] == messages.TypeSummary {
				continue
			}
			loser := name
			if count[name] > count[base] {
				loser = base
			}
			m.conflicts.Type += count[loser]
			count[loser] = 0
			for k := range kept {
				if k.name == loser {
					kept[k] = false
				}
			}
		}
	}
}

func mayStay(f messages.Family, kind messages.MetricType) bool {
	return f.Type == kind || f.Type == messages.TypeUnknown && !isCompound(kind)
}

func (m *naive) addNode(n messages.NodeAnswer, kinds map[string]messages.MetricType, kept map[familyOfNode]bool, o Options) {
	latest := map[string]bool{}
	helped := map[string]bool{}
	for _, b := range n.Blocks {
		for f := range b.Each() {
			if !kept[familyOfNode{f.Name, n.Identity.NodeID}] || !mayStay(*f, kinds[f.Name]) {
				continue
			}
			if m.helps[f.Name] == "" {
				m.helps[f.Name] = f.Help
			} else if f.Help != "" && f.Help != m.helps[f.Name] && !helped[f.Name] {
				helped[f.Name] = true
				m.conflicts.Help++
			}
			for i := range f.Series {
				s := f.At(i)
				values := s.Values
				series := labelsOf(n, f.Name+s.Suffix.String(), s.AllLabels().Labels(), false)
				m.addSeries(series, b.Times, values, latest, o)
				if slices.ContainsFunc(values, func(v float64) bool { return !messages.IsGap(v) }) {
					m.types[f.Name] = kinds[f.Name].String()
				}
			}
		}
	}
}

func (m *naive) addSeries(series string, times []int64, values []float64, latest map[string]bool, o Options) {
	for i := len(values) - 1; i >= 0; i-- {
		if messages.IsGap(values[i]) {
			continue
		}
		key := modelKey{series, times[i]}
		if !o.Timestamps {
			key.time = untimed
		}
		if _, there := m.points[key]; there || latest[series] {
			m.conflicts.Duplicate++
		} else {
			m.points[key] = valueBits(values[i])
		}
		if !o.Timestamps {
			return
		}
	}
}

// labelsOf returns the name and labels of a sample as the page must have them.
func labelsOf(n messages.NodeAnswer, name string, own []messages.Label, short bool) string {
	identity := map[string]string{}
	id := n.Identity
	fixed := []messages.Label{{Name: "node_id", Value: id.NodeID}, {Name: "node_role", Value: id.Role}, {Name: "pod_name", Value: id.PodName}}
	for _, l := range fixed {
		if l.Value != "" {
			identity[l.Name] = l.Value
		}
	}
	for _, l := range own {
		if l.Name == "pod_name" && l.Value != id.PodName && id.PodNameIsNodeID {
			delete(identity, l.Name)
		}
	}
	for _, label := range slices.Sorted(maps.Keys(id.Labels)) {
		plain := messages.EscapedLabelName("node_" + label)
		if _, taken := identity[plain]; !taken && !short && id.Labels[label] != "" {
			identity[plain] = id.Labels[label]
		}
	}
	all := maps.Clone(identity)
	mine := map[string]string{}
	for _, l := range own {
		mine[l.Name] = l.Value
	}
	taken := maps.Clone(mine)
	for _, label := range slices.Sorted(maps.Keys(mine)) {
		value, to := mine[label], label
		if ours, ok := identity[label]; ok {
			if ours == value || value == "" {
				continue // To Prometheus a label with an empty value is no label.
			}
			delete(taken, label)
			for to = "exported_" + label; ; to = "exported_" + to {
				if _, ok := taken[to]; !ok {
					break
				}
			}
			taken[to] = value
		}
		all[to] = value
	}
	all["__name__"] = name
	return seriesKey(labels.FromMap(all))
}

var modelFamilies = []string{"x", "x_count", "x_sum", "x_bucket", "x_count_sum", "y", "y_count", "a.b", "zeit größe", `q"\`, "n\nl",
	"fodc_agent_up", "fodc_proxy_x", "fodc_actors", "fodc_actor_x", "fodc_node_up", "x:y", "x0"}

var modelLabels = []string{"a", "b", "z", "node_id", "node_role", "node_zone", "node_a_b", "pod_name", "exported_node_id",
	"exported_exported_node_id", "exported_pod_name", "a.b", `"`, "le", "quantile"}

func collections() *rapid.Generator[*messages.Collection] {
	return rapid.Custom(func(t *rapid.T) *messages.Collection {
		ids := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d", `"\`, "n\n", "ü"}), 0, 5, rapid.ID).Draw(t, "ids")
		c := &messages.Collection{}
		for i, id := range ids {
			n := drawNode(t, id)
			if i > 0 && n.Missing == messages.MissingNone && rapid.Bool().Draw(t, "identical") {
				n.Blocks = identicalBlocks(t, c.Nodes[0].Blocks)
			}
			c.Nodes = append(c.Nodes, n)
		}
		return c
	})
}

func drawNode(t *rapid.T, id string) messages.NodeAnswer {
	n := messages.NodeAnswer{
		Identity: messages.Identity{NodeID: id, Role: rapid.SampledFrom([]string{"a", "b", "hot"}).Draw(t, "role"),
			PodName: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "pod"),
			Labels: rapid.MapOfN(rapid.SampledFrom([]string{"zone", "a.b", "a-b", "id", ""}),
				rapid.SampledFrom([]string{"", "a", "b"}), 0, 3).Draw(t, "labels")},
		AgentID: "agent " + id,
	}
	if n.Identity.PodName == "" {
		n.Identity.PodName, n.Identity.PodNameIsNodeID = id, true
	}
	n.Missing = rapid.SampledFrom([]messages.MissingReason{"", "", "", "", messages.MissingTimeout}).Draw(t, "missing")
	if n.Missing != messages.MissingNone {
		return n
	}
	n.Partial = rapid.SampledFrom([]messages.PartialReason{"", "", "", messages.PartialJournal, "of_a_later_version"}).Draw(t, "partial")
	for range rapid.IntRange(0, 3).Draw(t, "blocks") {
		times := rapid.SliceOfNDistinct(rapid.Int64Range(0, 12), 1, 4, rapid.ID).Draw(t, "times")
		slices.Sort(times)
		b := messages.Block{Times: times}
		for _, name := range rapid.SliceOfN(rapid.SampledFrom(modelFamilies), 0, 6).Draw(t, "names") {
			b.Families = append(b.Families, drawFamily(t, name, len(times)))
		}
		if rapid.Bool().Draw(t, "shared") {
			shareBlock(&b)
		}
		n.Blocks = append(n.Blocks, b)
	}
	return n
}

func drawFamily(t *rapid.T, name string, rows int) messages.Family {
	f := messages.Family{Name: name,
		Type: rapid.SampledFrom([]messages.MetricType{unknown, gauge, gauge, counter, histogram, histogram, summary, untyped}).Draw(t, "type"),
		Help: rapid.SampledFrom([]string{"", "One.", "a\\b\nc \"d\""}).Draw(t, "help")}
	for range rapid.IntRange(0, 4).Draw(t, "series") {
		var own []messages.Label
		for _, label := range rapid.SliceOfNDistinct(rapid.SampledFrom(modelLabels), 0, 4, rapid.ID).Draw(t, "own") {
			value := rapid.SampledFrom([]string{"", "a", "b", "hot", `"`, "\\\n", `",a="`, "\x00"}).Draw(t, "value")
			if label == "le" || label == "quantile" {
				// In the form to which a parser brings bounds, so that they compare.
				value = rapid.SampledFrom([]string{"0.0", "0.5", "1.0", "10.0", "+Inf"}).Draw(t, "bound")
			}
			own = append(own, messages.Label{Name: label, Value: value})
		}
		s := messages.Series{Labels: messages.RenderLabels(own)}
		if suffix := messages.Suffix(rapid.IntRange(0, 3).Draw(t, "suffix")); f.Type.Has(suffix) {
			s.Suffix = suffix
		}
		if rapid.Bool().Draw(t, "parted") {
			suffix := s.Suffix
			s = parted(s.Labels, messages.BoundName(f.Type, suffix))
			s.Suffix = suffix
		}
		for range rows {
			if isCompound(f.Type) {
				// The strict parser refuses counts below zero.
				s.Values = append(s.Values, rapid.OneOf(rapid.Float64Min(0), rapid.Just(messages.Gap)).Draw(t, "n"))
				continue
			}
			s.Values = append(s.Values, rapid.OneOf(rapid.Float64(), rapid.Just(messages.Gap),
				rapid.Map(rapid.IntRange(-2, 2_000_000), func(i int) float64 { return float64(i) }),
				rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1)})).Draw(t, "v"))
		}
		f.Series = append(f.Series, s)
	}
	if rapid.Bool().Draw(t, "shared") {
		share(&f)
	}
	return f
}

// share gives the family the form that sessions give it, as Unshare does not.
func share(f *messages.Family) {
	if len(f.Series) == 0 {
		return
	}
	f.Claimed = f.Series[0].Claimed
	for _, s := range f.Series {
		if f.Claimed != nil && (s.Claimed == nil || *s.Claimed != *f.Claimed) {
			f.Claimed = nil
		}
	}
	series := slices.Clone(f.Series)
	for i := range series {
		f.Values = append(f.Values, series[i].Values...)
		series[i].Values = nil
		if f.Claimed != nil {
			series[i].Claimed = nil
		}
	}
	f.SetDescriptor(messages.NewDescriptor(f.Name, f.Type, f.Help, series))
}

// shareBlock gives the block the form that sessions give it where it repeats the last one.
func shareBlock(b *messages.Block) {
	for i := range b.Families {
		f := &b.Families[i]
		if f.Descriptor == nil {
			share(f)
		}
		b.Values = append(b.Values, f.Values...)
		f.Values = nil
	}
}
