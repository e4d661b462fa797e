package recorder

import (
	"fodc/messages"
	"fodc/recorder/codec"
)

// decode sets dst to the first values of an encoded column of so many scrapes. Behind the
// column, data must have codec.ReadPadding bytes more.
func decode(dst []float64, data []byte, scrapes int) {
	d := decoder{BitReader: codec.BitReader{Data: data}}
	present := codec.BitReader{Data: data, Offset: 1}
	sparse := d.ReadBit()
	if sparse {
		d.Offset += scrapes
	}
	d.readHeader()
	for i := range dst {
		if sparse && !present.ReadBit() {
			dst[i] = messages.Gap
			continue
		}
		dst[i] = d.next()
	}
}

// decoder decodes a column value by value.
type decoder struct {
	codec.BitReader
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
	d.scale, d.order = int(d.ReadBits(scaleFieldBits)), int(d.ReadBits(orderFieldBits))
	if d.scale == codec.RawBitsScale {
		d.integer = int64(d.ReadBits(codec.WordBits))
	} else {
		d.integer = codec.Unzigzag(d.readSized())
	}
	d.value = codec.FromInteger(d.integer, d.scale)
	if d.order == 0 {
		return
	}
	if d.hasBase = d.ReadBit(); d.hasBase {
		d.base = codec.Unzigzag(d.readSized())
	}
	d.code = readWidthCode(&d.BitReader)
}

func (d *decoder) readSized() uint64 { return d.ReadBits(int(d.ReadBits(sizeFieldBits))) }

func (d *decoder) next() float64 {
	if !d.started || d.order == 0 {
		d.started = true
		return d.value
	}
	n := d.code.read(&d.BitReader)
	difference := codec.Unzigzag(n)
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
		d.value = codec.FromInteger(d.integer, d.scale)
	}
	return d.value
}
