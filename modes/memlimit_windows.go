package modes

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

// memoryStatus is MEMORYSTATUSEX of the Windows API.
type memoryStatus struct {
	length, load                                                     uint32
	totalPhys, availPhys, totalPageFile, availPageFile, totalVirtual uint64
	availVirtual, availExtendedVirtual                               uint64
}

var globalMemoryStatus = windows.NewLazySystemDLL("kernel32.dll").NewProc("GlobalMemoryStatusEx")

// memoryLimit is described in memlimit.go.
func memoryLimit() (bytes int64, source string, err error) {
	source = globalMemoryStatus.Name
	status := memoryStatus{length: uint32(unsafe.Sizeof(memoryStatus{}))}
	if ok, _, err := globalMemoryStatus.Call(uintptr(unsafe.Pointer(&status))); ok == 0 {
		return 0, source, fmt.Errorf("%s: %w", source, err)
	}
	return int64(status.totalPhys), source, nil
}
