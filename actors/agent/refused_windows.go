package agent

import "golang.org/x/sys/windows"

// connectionRefused is the error of the system if nothing listens at the address.
const connectionRefused = windows.WSAECONNREFUSED
