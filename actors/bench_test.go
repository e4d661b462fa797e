package actors_test

import (
	"context"
	"testing"

	"fodc/actors"

	"go.uber.org/zap"
)

// last lets a benchmark wait until the mailbox is empty.
type last struct{ done chan struct{} }

func counting(c actors.Context) {
	switch m := c.Message().(type) {
	case *ping:
		actors.Reply(c, m)
	case last:
		close(m.done)
	}
}

func BenchmarkSend(b *testing.B) {
	sys := actors.NewSystem(zap.NewNop())
	pid := spawn(sys, actors.ResumeOnFailure(), counting)
	b.ReportAllocs()
	m := &pong{}
	for b.Loop() {
		sys.Send(pid, m)
	}
	done := make(chan struct{})
	sys.Send(pid, last{done})
	<-done
	stopAll(b, sys)
}

func BenchmarkAsk(b *testing.B) {
	sys := actors.NewSystem(zap.NewNop())
	pid := spawn(sys, actors.ResumeOnFailure(), counting)
	b.ReportAllocs()
	m := &ping{}
	for b.Loop() {
		if _, err := actors.Ask[*ping](context.Background(), sys, pid, m); err != nil {
			b.Fatal(err)
		}
	}
	stopAll(b, sys)
}

func BenchmarkSpawnAndStop(b *testing.B) {
	sys := actors.NewSystem(zap.NewNop())
	b.ReportAllocs()
	for b.Loop() {
		if err := sys.Stop(context.Background(), spawn(sys, actors.ResumeOnFailure(), counting)); err != nil {
			b.Fatal(err)
		}
	}
	stopAll(b, sys)
}

func BenchmarkTreeOf1000(b *testing.B) {
	sys := actors.NewSystem(zap.NewNop())
	for range 1000 {
		spawn(sys, actors.ResumeOnFailure(), counting)
	}
	for b.Loop() {
		if n := len(sys.Tree().Actors); n != 1000 {
			b.Fatal(n)
		}
	}
	stopAll(b, sys)
}

func stopAll(b *testing.B, sys *actors.System) {
	if err := sys.StopAll(context.Background()); err != nil {
		b.Error(err)
	}
}
