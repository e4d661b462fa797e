package changes

import "slices"

// median returns the middle one of values, whose order it changes.
func median(values []float64) float64 {
	n := len(values)
	if n == 0 {
		return 0
	}
	m, _ := nth(values, n/2)
	if n%2 == 1 {
		return m
	}
	below := values[0]
	for _, v := range values[1 : n/2] {
		below = max(below, v)
	}
	return (below + m) / 2
}

// nth returns the value that has k smaller ones, and how many values it has looked at: about three times as many as there
// are, and never more than a sort does. It moves the smaller ones to the front.
func nth(a []float64, k int) (v float64, looked int) {
	lo, hi := 0, len(a)-1
	for lo < hi {
		if looked > maxLooks*len(a) {
			slices.Sort(a[lo : hi+1])
			break
		}
		looked += hi - lo + 1
		switch i, j := split(a, lo, hi); {
		case k <= j:
			hi = j
		case k >= i:
			lo = i
		default:
			return a[k], looked
		}
	}
	return a[k], looked
}

// maxLooks is how often nth looks at each value before it sorts: values in a bad order can make it quadratic.
const maxLooks = 10

// split moves values so that those up to j are no larger than those from i on, and returns both. Those between them are equal.
func split(a []float64, lo, hi int) (i, j int) {
	// The middle one of three as pivot: sorted values are the most frequent ones.
	mid := lo + (hi-lo)/2
	if a[mid] < a[lo] {
		a[mid], a[lo] = a[lo], a[mid]
	}
	if a[hi] < a[lo] {
		a[hi], a[lo] = a[lo], a[hi]
	}
	if a[hi] < a[mid] {
		a[hi], a[mid] = a[mid], a[hi]
	}
	pivot := a[mid]
	for i, j = lo, hi; i <= j; {
		for a[i] < pivot {
			i++
		}
		for a[j] > pivot {
			j--
		}
		if i <= j {
			a[i], a[j] = a[j], a[i]
			i, j = i+1, j-1
		}
	}
	return i, j
}
