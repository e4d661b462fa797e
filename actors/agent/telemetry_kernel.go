package agent

import (
	"context"
	"time"

	"fodc/actors/agent/telemetry/kernel"
	"fodc/messages"

	"go.uber.org/zap"
)

// maxKernelStart is how long the log waits for the programs in the kernel.
const maxKernelStart = time.Minute

// logKernel says in one line what runs in the kernel.
func logKernel(log *zap.Logger, tracer *kernel.Tracer) {
	ctx, cancel := context.WithTimeout(context.Background(), maxKernelStart)
	defer cancel()
	status := tracer.Wait(ctx)
	if status.Missing() != "" {
		log.Warn("kernel telemetry is left out, or a part of it", zap.String("cause", status.String()))
		return
	}
	log.Info("kernel telemetry", zap.String("status", status.String()))
}

// kernelHealth is the state of the programs in the kernel.
func kernelHealth(status kernel.Status) *messages.KernelHealth {
	h := &messages.KernelHealth{Programs: []messages.KernelProgram{}}
	if status.Err != nil {
		h.Error = status.Err.Error()
	}
	for _, p := range status.Programs {
		program := messages.KernelProgram{Name: p.Name, Runs: p.Err == nil}
		if p.Err != nil {
			program.Error = p.Err.Error()
		}
		h.Programs = append(h.Programs, program)
	}
	return h
}
