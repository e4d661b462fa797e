package codec

// Zigzag moves the sign into the lowest bit, so that small negative numbers are short.
func Zigzag(n int64) uint64 { return uint64(n)<<1 ^ uint64(n>>63) }

// Unzigzag is the inverse of Zigzag.
func Unzigzag(n uint64) int64 { return int64(n>>1) ^ -int64(n&1) }
