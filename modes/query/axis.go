package query

import "math"

// Rows of a chart: nice numbers at the axis need a bit more or fewer than are wanted.
const wantedRows = 12

// axis is the values of a chart from its lowest to its highest row. With rows 0 it has one value.
type axis struct {
	low, high float64
	rows      int
}

// axisOf returns an axis that has room for all numbers of the series. It is not ok if they have
// none but NaN and infinities.
func axisOf(all []series) (a axis, ok bool) {
	a.low, a.high = math.Inf(1), math.Inf(-1)
	for i := range all {
		for _, s := range all[i].samples {
			if v := s.value; !math.IsInf(v, 0) && !math.IsNaN(v) {
				a.low, a.high = min(a.low, v), max(a.high, v)
			}
		}
	}
	if a.low < a.high {
		a.rows = wantedRows
		a.round()
	}
	return a, a.low <= a.high
}

// round moves the ends outwards, so that each row has a value of few digits, where floating point
// can do that.
func (a *axis) round() {
	const (
		least, most = 1e-300, 1e300
		// exact is the number above which there are fewer numbers than rows.
		exact = 1 << 50
	)
	distance := a.high - a.low
	if distance < least || distance > most {
		return
	}
	unit := niceUnit(distance / float64(a.rows))
	low, high := math.Floor(a.low/unit), math.Ceil(a.high/unit)
	if math.Abs(low) < exact && math.Abs(high) < exact {
		a.low, a.high, a.rows = low*unit, high*unit, int(high-low)
	}
}

// niceUnit returns the lowest of 1, 2, 2.5, 5 or 10 times a power of ten that is no less than the
// distance.
func niceUnit(distance float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(distance)))
	for _, factor := range []float64{1, 2, 2.5, 5} {
		if unit := factor * power; unit >= distance {
			return unit
		}
	}
	return 10 * power
}

// at returns the value of a row, from 0 at the bottom.
func (a axis) at(row float64) float64 {
	if a.rows == 0 {
		return a.low
	}
	part := row / float64(a.rows)
	v := a.low*(1-part) + a.high*part
	if math.Abs(v) < (a.high/2-a.low/2)*1e-9 {
		return 0 // It is what rounding has left.
	}
	return v
}

// rowOf returns the row of a value, with its decimals; infinities are at the ends.
func (a axis) rowOf(v float64) float64 {
	switch top := float64(a.rows); {
	case math.IsNaN(v):
		return v
	case a.rows == 0 || v <= a.low:
		return 0
	case v >= a.high:
		return top
	default:
		// Halves, since the difference of great numbers is infinite.
		row := top * ((v/2 - a.low/2) / (a.high/2 - a.low/2))
		return min(max(row, 0), top)
	}
}

// digits returns how many digits the numbers of the rows need, so that no two look the same;
// shortDigits at least.
func (a axis) digits() int {
	for digits := shortDigits; digits < maxDigits; digits++ {
		before, differ := "", true
		for row := range a.rows + 1 {
			text := shortNumber(a.at(float64(row)), digits)
			differ = differ && text != before
			before = text
		}
		if differ {
			return digits
		}
	}
	return maxDigits
}
