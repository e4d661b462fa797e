//go:build amd64 || arm64

package kernel

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/cilium/ebpf/btf"
)

// requestFlags are two flags of a disk's requests, each as a mask. Their bits differ between versions of the kernel, and a
// wrong one counts requests twice, or none at all.
type requestFlags struct {
	// flushSequence: the request is a part of a write with a flush, which is completed once more when all is done.
	flushSequence uint32
	// statistics: /proc/diskstats counts the request, so that the kernel has taken the time of its begin.
	statistics uint32
}

var (
	// requestMacros are the flags until 6.10, where they are macros, of which the kernel's types know nothing.
	requestMacros = requestFlags{flushSequence: 1 << 4, statistics: 1 << 13}
	// requestEnum are those since 6.11. The enumeration has no name at first, so that it cannot be looked up.
	requestEnum = requestFlags{flushSequence: 1 << 1, statistics: 1 << 8}
)

// requestFlagsOf returns the flags of the kernel with these types. raw are the types as the kernel has them.
func requestFlagsOf(types *btf.Spec, raw io.Reader) (requestFlags, error) {
	var flags requestFlags
	var enum *btf.Enum
	if types.TypeByName("rqf_flags", &enum) == nil {
		for _, v := range enum.Values {
			switch v.Name {
			case "__RQF_FLUSH_SEQ":
				flags.flushSequence = 1 << (v.Value & 31)
			case "__RQF_IO_STAT":
				flags.statistics = 1 << (v.Value & 31)
			}
		}
		if flags.flushSequence != 0 && flags.statistics != 0 {
			return flags, nil
		}
	}
	enumerated, err := hasText(raw, []byte("\x00__RQF_FLUSH_SEQ\x00"))
	switch {
	case err != nil:
		return flags, fmt.Errorf("search for the flags of requests in the kernel's types: %w", err)
	case enumerated:
		return requestEnum, nil
	}
	return requestMacros, nil
}

// hasText reports whether a text stands in what is read, which may be some MiB, with a bounded part of it in memory.
func hasText(r io.Reader, text []byte) (bool, error) {
	part := make([]byte, 64<<10)
	kept := 0 // the end of the part before, in which the text may begin
	for {
		n, err := io.ReadFull(r, part[kept:])
		if bytes.Contains(part[:kept+n], text) {
			return true, nil
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		kept = copy(part, part[len(part)-len(text)+1:])
	}
}
