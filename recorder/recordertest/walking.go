package recordertest

import (
	"fmt"
	"math/rand"
	"strconv"
)

// WalkingNode is a node of families of ten series, of four kinds in turn: a fast
// counter, a slow one, a gauge that walks at random, a constant.
type WalkingNode struct {
	rng    *rand.Rand
	values []float64
	page   []byte
}

// NewWalkingNode returns a node of so many series.
func NewWalkingNode(series int) *WalkingNode {
	return &WalkingNode{rng: rand.New(rand.NewSource(0)), values: make([]float64, series)}
}

// Next returns the next page; it is valid until the one after it.
func (n *WalkingNode) Next() []byte {
	const perFamily = 10
	b := n.page[:0]
	for i := range n.values {
		family := i / perFamily
		kind := "gauge"
		switch family % 4 {
		case 0:
			n.values[i] += float64(n.rng.Intn(50))
			kind = "counter"
		case 1:
			if n.rng.Intn(4) == 0 {
				n.values[i]++
			}
			kind = "counter"
		case 2:
			n.values[i] += n.rng.NormFloat64()
		}
		if i%perFamily == 0 {
			b = fmt.Appendf(b, "# HELP banyandb_walking_%04d The walking family number %d\n", family, family)
			b = fmt.Appendf(b, "# TYPE banyandb_walking_%04d %s\n", family, kind)
		}
		b = fmt.Appendf(b, "banyandb_walking_%04d{group=\"sw_metric\",segment=\"%d\",operation=\"write_batch\"} ", family, i%perFamily)
		b = strconv.AppendFloat(b, n.values[i], 'g', -1, 64)
		b = append(b, '\n')
	}
	n.page = b
	return b
}
