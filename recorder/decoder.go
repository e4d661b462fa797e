package recorder

import "fodc/messages"

// decode sets dst to the first values of an encoded column of so many scrapes. Behind the
// column, data must have readPadding bytes more.
func decode(dst []float64, data []byte, scrapes int) {
	d := decoder{bitReader: bitReader{data: data}}
	present := bitReader{data: data, offset: 1}
	sparse := d.readBit()
	if sparse {
		d.offset += scrapes
	}
	d.readHeader()
	for i := range dst {
		if sparse && !present.readBit() {
			dst[i] = messages.Gap
			continue
		}
		dst[i] = d.next()
	}
}

// decoder decodes a column value by value.
type decoder struct {
	bitReader
	scale, order int
	hasBase      bool
	base         int64
	code         widthCode

	started bool
	// integer and value are the last ones decoded, delta is the last delta of order 1.
	integer, delta int64
	value          float64
}

func (d *decoder) readHeader() {
	d.scale, d.order = int(d.readBits(scaleFieldBits)), int(d.readBits(orderFieldBits))
	if d.scale == rawBitsScale {
		d.integer = int64(d.readBits(wordBits))
	} else {
		d.integer = unzigzag(d.readSized())
	}
	d.value = fromInteger(d.integer, d.scale)
	if d.order == 0 {
		return
	}
	if d.hasBase = d.readBit(); d.hasBase {
		d.base = unzigzag(d.readSized())
	}
	d.code = readWidthCode(&d.bitReader)
}

func (d *decoder) readSized() uint64 { return d.readBits(int(d.readBits(sizeFieldBits))) }

func (d *decoder) next() float64 {
	if !d.started || d.order == 0 {
		d.started = true
		return d.value
	}
	n := d.code.read(&d.bitReader)
	difference := unzigzag(n)
	if d.hasBase {
		difference = int64(n + uint64(d.base))
	}
	if d.order == 1 {
		d.delta = difference
	} else {
		d.delta += difference
	}
	if d.delta != 0 {
		d.integer += d.delta
		d.value = fromInteger(d.integer, d.scale)
	}
	return d.value
}
