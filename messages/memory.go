package messages

import "unsafe"

// Sizes of the parts of an answer, without what they point to.
const (
	valueBytes  = 8 // of a value or a time
	blockBytes  = int(unsafe.Sizeof(Block{}))
	familyBytes = int(unsafe.Sizeof(Family{}))
	seriesBytes = int(unsafe.Sizeof(Series{}))
)

// MemoryBytes estimates the memory that the block takes. What answers share does not count:
// families if the block holds their values, and series and texts if the family holds theirs, and
// its descriptor is not its own.
func (b *Block) MemoryBytes() int {
	bytes := blockBytes + len(b.Target) + valueBytes*(len(b.Times)+len(b.Values))
	if b.Values != nil {
		return bytes
	}
	for i := range b.Families {
		f := &b.Families[i]
		bytes += familyBytes + valueBytes*len(f.Values)
		if f.Values != nil {
			if f.Descriptor != nil && f.Descriptor.Own {
				bytes += seriesBytes*len(f.Series) + f.LabelBytes
			}
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
