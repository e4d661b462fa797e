package actors

// initialStack is the stack, in bytes, that a message of an actor usually needs.
const initialStack = 6 << 10

// goWithStack starts a goroutine for short work that calls many functions. It grows the
// stack at once, while that is empty. Growing it twice in the middle of the work copies it
// twice, which costs as much as the work itself.
func goWithStack(f func()) {
	go func() {
		growStack()
		f()
	}()
}

// growStack grows the goroutine's stack to initialStack. It stays grown.
//
//go:noinline
func growStack() {
	var room [initialStack]byte
	use(&room)
}

// use keeps the compiler from removing the array.
//
//go:noinline
func use(*[initialStack]byte) {}

// dispatcher runs each mailbox in a goroutine that ends when the mailbox is empty.
type dispatcher struct{}

// Schedule is called when a message arrives at an empty mailbox.
func (dispatcher) Schedule(run func()) { goWithStack(run) }

// Throughput is how many messages of a mailbox are handled before its goroutine yields.
func (dispatcher) Throughput() int { return 300 }
