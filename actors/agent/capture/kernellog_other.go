//go:build !linux

package capture

import (
	"time"

	"fodc/actors/agent/telemetry"
)

func openKernelLog() (kernelRecords, time.Time, error) {
	return nil, time.Time{}, telemetry.Supported()
}
