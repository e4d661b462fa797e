package recorder

import "fodc/messages"

// decode sets dst to the values of the first rows of a packed column, of which rows
// were encoded. readPad bytes more must be behind data.
func decode(dst []float64, data []byte, rows int) {
	d := decoder{bitReader: bitReader{data: data}}
	present := bitReader{data: data, at: 1}
	sparse := d.flag()
	if sparse {
		d.at += rows
	}
	d.begin()
	for i := range dst {
		if sparse && !present.flag() {
			dst[i] = messages.Gap
			continue
		}
		dst[i] = d.next()
	}
}

// decoder gives the values of a column, one after the other.
type decoder struct {
	bitReader
	scale, order int
	based        bool
	base         int64
	widths       widths

	begun bool
	// word is the newest, value what it stands for, step the difference that led to
	// it.
	word, step int64
	value      float64
}

func (d *decoder) begin() {
	d.scale, d.order = int(d.get(scaleWidth)), int(d.get(orderWidth))
	if d.scale == scaleBits {
		d.word = int64(d.get(wordBits))
	} else {
		d.word = unzigzag(d.sized())
	}
	d.value = valueOf(d.word, d.scale)
	if d.order == 0 {
		return
	}
	if d.based = d.flag(); d.based {
		d.base = unzigzag(d.sized())
	}
	d.widths = readWidths(&d.bitReader)
}

func (d *decoder) sized() uint64 { return d.get(int(d.get(sizeWidth))) }

func (d *decoder) next() float64 {
	if !d.begun || d.order == 0 {
		d.begun = true
		return d.value
	}
	n := d.widths.get(&d.bitReader)
	difference := unzigzag(n)
	if d.based {
		difference = int64(n + uint64(d.base))
	}
	if d.order == 1 {
		d.step = difference
	} else {
		d.step += difference
	}
	if d.step != 0 {
		d.word += d.step
		d.value = valueOf(d.word, d.scale)
	}
	return d.value
}
