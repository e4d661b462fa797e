package journal

import (
	"errors"
	"fmt"
	"io"
	"reflect"
)

// Verify reads every record of a segment, with its values, and compares the checksum of each. It
// returns where the segment is damaged; nil: it is whole. Of a closed segment it compares the index
// with the records, too. The error is that of the file, and fs.ErrNotExist if retention has removed
// it. A segment may grow meanwhile: it is read as far as it was long before.
func Verify(dir FS, segment SegmentInfo) (*Damage, error) {
	f, err := dir.Open(segment.Name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s, _, err := newScanner(f, segment.Size)
	for err == nil {
		_, err = s.next()
	}
	var damage *Damage
	switch {
	case errors.As(err, &damage):
		return damage, nil
	case err != io.EOF:
		return nil, fmt.Errorf("%s: %w", segment.Name, err)
	}
	if segment.Closed != 0 {
		found := s.info.clone()
		found.Name, found.Pinned, found.PinnedByHand = segment.Name, segment.Pinned, segment.PinnedByHand
		if segment.Damage == nil && !reflect.DeepEqual(found, segment) {
			return &Damage{Offset: s.at, Reason: "the index is not that of the records"}, nil
		}
	}
	return nil, nil
}
