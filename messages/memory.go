package messages

import "unsafe"

// What parts of an answer take, beside what they point to.
const (
	valueBytes  = 8 // a time, too
	familyBytes = int(unsafe.Sizeof(Family{}))
	seriesBytes = int(unsafe.Sizeof(Series{}))
)

// MemoryBytes is about what the block takes in memory. What a session shares among answers
// does not count: families where the block has their values, and texts and series where the
// family has theirs.
func (b *Block) MemoryBytes() int {
	bytes := valueBytes * (len(b.Times) + len(b.Values))
	if b.Values != nil {
		return bytes
	}
	for i := range b.Families {
		f := &b.Families[i]
		bytes += familyBytes + valueBytes*len(f.Values)
		if f.Values != nil {
			continue
		}
		bytes += len(f.Name) + len(f.Help)
		for j := range f.Series {
			s := &f.Series[j]
			bytes += seriesBytes + valueBytes*len(s.Values) + s.LabelBytes()
		}
	}
	return bytes
}
