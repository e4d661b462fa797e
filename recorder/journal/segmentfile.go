package journal

import (
	"cmp"
	"slices"
)

// segmentFile is a file that has the name of a segment.
type segmentFile struct {
	// info is what can be read of it. Its size leaves out a record the write of which failed.
	info SegmentInfo
	// bytes is the size of the file.
	bytes int64
	// err is why it cannot be read; then info has its number and its name alone.
	err error
	// open is set while it is being written, stuck after it could not be removed.
	open, stuck bool
}

// segmentFiles are all of a directory, by number.
type segmentFiles []*segmentFile

func (l segmentFiles) bytes() (sum int64) {
	for _, f := range l {
		sum += f.bytes
	}
	return sum
}

// keptBytes is the size of those that retention keeps, whatever their age.
func (l segmentFiles) keptBytes() (sum int64) {
	for _, f := range l {
		if f.isKept() {
			sum += f.bytes
		}
	}
	return sum
}

// find returns the file of a segment, nil if there is none.
func (l segmentFiles) find(number int64) *segmentFile {
	i, found := slices.BinarySearchFunc(l, number, func(f *segmentFile, n int64) int { return cmp.Compare(f.info.Number, n) })
	if !found {
		return nil
	}
	return l[i]
}

// newest returns the newest segment that has a scrape, nil if there is none. While it is there, the
// numbers of the next process ascend.
func (l segmentFiles) newest() *segmentFile {
	for _, f := range slices.Backward(l) {
		if f.info.LastNumber != 0 {
			return f
		}
	}
	return nil
}

// removable returns the oldest segment that may be removed, nil if there is none.
func (l segmentFiles) removable() *segmentFile {
	for _, f := range l {
		if f.isRemovable() {
			return f
		}
	}
	return nil
}

func (f *segmentFile) isKept() bool { return f.open || f.info.Pinned }

func (f *segmentFile) isRemovable() bool { return !f.isKept() && !f.stuck }

// view returns the segments of a node.
func (l segmentFiles) view(nodeID string) *View {
	v := &View{Segments: make([]SegmentInfo, 0, len(l))}
	for _, f := range l {
		switch {
		case f.err != nil:
			v.Unreadable = append(v.Unreadable, Unreadable{f.info.Name, f.bytes, f.err})
		case f.info.Node.NodeID == nodeID:
			v.Segments = append(v.Segments, f.info)
		}
	}
	return v
}
