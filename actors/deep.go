package actors

// deepStack is what most of what goDeep is for takes of the stack.
const deepStack = 6 << 10

// goDeep starts a goroutine for something short that calls many functions. Its stack
// grows at once, while there is nothing on it: to copy one that is in use in the midst of
// the work, and a second time, takes as long as much of such work.
func goDeep(f func()) {
	go func() {
		growStack()
		f()
	}()
}

// growStack has room on the stack, which the goroutine keeps when it returns.
//
//go:noinline
func growStack() {
	var room [deepStack]byte
	use(&room)
}

// use makes the room be there.
//
//go:noinline
func use(*[deepStack]byte) {}

// dispatcher runs mailboxes, each in a goroutine that ends when the mailbox is empty.
type dispatcher struct{}

// Schedule is called when a message comes to an empty mailbox.
func (dispatcher) Schedule(run func()) { goDeep(run) }

// Throughput is how many messages of a mailbox are handled before others have a turn.
func (dispatcher) Throughput() int { return 300 }
