package journal

import (
	"fmt"
	"strconv"
	"strings"
)

// The files of a journal are its segments, named by their number, and beside a segment that is
// pinned an empty file with its name and pinSuffix, if somebody has made that by hand, or incidentSuffix, which
// Writer.Pin makes. Others are none of the journal's business.
const (
	segmentSuffix  = ".segment"
	pinSuffix      = ".pin"
	incidentSuffix = ".incident"
	// numberDigits is how many digits a number has at least, so that names sort as numbers do.
	numberDigits = 8
	// maxSegmentNumber is the highest number of a segment, more than there can ever be. A file with
	// a higher one is somebody else's: the numbers that follow from it would overflow.
	maxSegmentNumber = 1 << 30
)

// segmentName returns the name of the file of a segment.
func segmentName(number int64) string {
	return fmt.Sprintf("%0*d%s", numberDigits, number, segmentSuffix)
}

// pinName returns the name of the file by which Writer.Pin pins a segment.
func pinName(number int64) string {
	return fmt.Sprintf("%0*d%s", numberDigits, number, incidentSuffix)
}

// parseSegmentName returns the number of the segment that has the file's name.
func parseSegmentName(name string) (number int64, ok bool) { return parseName(name, segmentSuffix) }

// parsePinName returns the number of the segment that the file's name pins, and whether that was done by hand.
func parsePinName(name string) (number int64, byHand, ok bool) {
	if number, ok = parseName(name, pinSuffix); ok {
		return number, true, true
	}
	number, ok = parseName(name, incidentSuffix)
	return number, false, ok
}

func parseName(name, suffix string) (number int64, ok bool) {
	digits, ok := strings.CutSuffix(name, suffix)
	if !ok {
		return 0, false
	}
	number, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || name != fmt.Sprintf("%0*d%s", numberDigits, number, suffix) {
		return 0, false
	}
	return number, number > 0 && number <= maxSegmentNumber
}
