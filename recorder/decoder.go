package recorder

import "fodc/messages"

// decode sets dst to the values of the first rows of a packed column, of which rows
// were encoded. readPad bytes more must be behind data.
func decode(dst []float64, data []byte, rows int) {
	d := decoder{bitReader: bitReader{data: data}}
	present := bitReader{data: data, offset: 1}
	sparse := d.readBit()
	if sparse {
		d.offset += rows
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

// decoder gives the values of a column, one after the other.
type decoder struct {
	bitReader
	scale, order int
	hasBase      bool
	base         int64
	code         widthCode

	started bool
	// integer is the newest, value what it stands for, step the difference that led to
	// it.
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
