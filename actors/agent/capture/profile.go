package capture

import "time"

// Profile is a profile as net/http/pprof serves it.
type Profile struct {
	// Type names it in lists, Filename its file.
	Type, Filename string
	// Format is what the file is in.
	Format string
	// Path is that of its URL, with the query.
	Path    string
	Content Content
	Limits  Limits
}

// The limits of a profile. A node in trouble is slow, and the heap profile of a large one has some
// megabytes.
const (
	// MaxProfileBytes bounds the size of a profile.
	MaxProfileBytes = 64 << 20
	profileTimeout  = 20 * time.Second
)

const heapType = "heap"

// FormatPProf is gzipped protobuf, as go tool pprof reads it.
const FormatPProf = "pprof"

// Heap is where the memory in use was allocated. It is that of the last garbage collection: no
// further one is asked for.
func Heap() Profile { return pprofOf(heapType) }

// Goroutine is the stacks of all goroutines, counted.
func Goroutine() Profile { return pprofOf("goroutine") }

func pprofOf(name string) Profile {
	return Profile{Type: name, Filename: name + ".pprof", Format: FormatPProf, Path: "/debug/pprof/" + name, Content: PProf,
		Limits: Limits{Bytes: MaxProfileBytes, Time: profileTimeout}}
}
