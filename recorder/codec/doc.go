// Package codec is what all encodings of recorded values are made of.
//
//   - bitstream.go: numbers of any width in bits, one behind the other
//   - decimal.go: values become integers, by which close values differ little
//   - zigzag.go: signed integers become unsigned ones
//
// The package is pure. Nothing in it allocates but the buffer of a BitWriter.
package codec
