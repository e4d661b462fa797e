package changes

// median returns the middle one of values, whose order it changes.
func median(values []float64) float64 {
	n := len(values)
	if n == 0 {
		return 0
	}
	m := nth(values, n/2)
	if n%2 == 1 {
		return m
	}
	below := values[0]
	for _, v := range values[1 : n/2] {
		below = max(below, v)
	}
	return (below + m) / 2
}

// nth returns the value that has k smaller ones. It moves those to the front. On average it looks at each
// value three times.
func nth(a []float64, k int) float64 {
	lo, hi := 0, len(a)-1
	for lo < hi {
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
		pivot, i, j := a[mid], lo, hi
		for i <= j {
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
		switch {
		case k <= j:
			hi = j
		case k >= i:
			lo = i
		default:
			return a[k]
		}
	}
	return a[k]
}
