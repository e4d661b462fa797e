package agent

import "golang.org/x/sys/windows"

// connectionRefused is how the system says that nothing listens.
const connectionRefused = windows.WSAECONNREFUSED
