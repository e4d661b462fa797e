package modes

import (
	"context"
	"fmt"
	"time"

	"fodc/actors/agent/telemetry/kernel"
)

// kernelStartTimeout bounds how long a required start of the programs in the kernel may take. A machine that is emulated takes seconds.
const kernelStartTimeout = 30 * time.Second

// startKernel begins to load the programs in the kernel; nil: none are wanted. If they are required, it waits for them, and returns an
// error that says what is missing.
func (c AgentConfig) startKernel() (*kernel.Tracer, error) {
	if c.KernelTelemetry == kernelOff || !c.HostTelemetry {
		return nil, nil
	}
	tracer := kernel.Start(kernel.Config{DataDirs: c.DataDirs})
	if c.KernelTelemetry != kernelRequired {
		return tracer, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), kernelStartTimeout)
	defer cancel()
	if missing := tracer.Wait(ctx).Missing(); missing != "" {
		tracer.Close()
		return nil, fmt.Errorf("--kernel-telemetry=required: %s", missing)
	}
	return tracer, nil
}
