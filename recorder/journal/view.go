package journal

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// View is the segments of a journal at one moment, by number. It never changes.
type View struct {
	Segments []SegmentInfo
	// Unreadable are files with the name of a segment that have none: a damaged header, a
	// version of another program, or an error of the disk.
	Unreadable []Unreadable
}

// Unreadable is a file that cannot be read as a segment.
type Unreadable struct {
	Name string
	Size int64
	Err  error
}

// OpenView returns the segments that are in a directory now. It needs no lock, and works while
// another process writes: of the segment that is being written, it has what was written when its
// size was taken. The error is that of the listing.
func OpenView(dir FS) (*View, error) {
	files, err := dir.List()
	if err != nil {
		return nil, err
	}
	v := &View{}
	pinned, byHand := make(map[int64]bool), make(map[int64]bool)
	for _, f := range files {
		if number, hand, ok := parsePinName(f.Name); ok {
			pinned[number] = true
			byHand[number] = byHand[number] || hand
		}
	}
	for _, f := range files {
		number, ok := parseSegmentName(f.Name)
		if !ok {
			continue
		}
		info, err := readFileInfo(dir, f.Name, number)
		switch {
		case errors.Is(err, fs.ErrNotExist): // Retention removed it meanwhile.
		case err != nil:
			v.Unreadable = append(v.Unreadable, Unreadable{f.Name, f.Size, err})
		default:
			info.Pinned, info.PinnedByHand = pinned[number], byHand[number]
			v.Segments = append(v.Segments, info)
		}
	}
	slices.SortFunc(v.Segments, func(a, b SegmentInfo) int { return cmp.Compare(a.Number, b.Number) })
	slices.SortFunc(v.Unreadable, func(a, b Unreadable) int { return cmp.Compare(a.Name, b.Name) })
	return v, nil
}

// readFileInfo returns the information of the segment in a file.
func readFileInfo(dir FS, name string, number int64) (SegmentInfo, error) {
	f, err := dir.Open(name)
	if err != nil {
		return SegmentInfo{}, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return SegmentInfo{}, err
	}
	info, err := readInfo(f, size)
	if err != nil {
		return SegmentInfo{}, fmt.Errorf("%s: %w", name, err)
	}
	if info.Number != number {
		return SegmentInfo{}, fmt.Errorf("%s: its header is that of segment %d", name, info.Number)
	}
	info.Name = name
	return info, nil
}
