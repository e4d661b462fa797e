package changes

import "testing"

// BenchmarkFind is what is done for an incident of ten nodes with 3,000 series of an hour each.
func BenchmarkFind(b *testing.B) {
	var nodes [][]Series
	for n := range uint64(10) {
		series, _ := window(n, 3000, 12, 10)
		nodes = append(nodes, series)
	}
	b.ReportAllocs()
	for b.Loop() {
		f := NewFinder(plantedQuestion())
		for _, series := range nodes {
			f.Add(series)
		}
		if r := f.Report(); len(r.Changes) < 10 {
			b.Fatal(r)
		}
	}
}
