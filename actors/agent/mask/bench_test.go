package mask

import (
	"strings"
	"testing"
)

const mib = 1 << 20

// upTo returns the text again and again, so many bytes of it.
func upTo(text string, size int) string { return strings.Repeat(text, size/len(text)+1)[:size] }

func BenchmarkText(b *testing.B) {
	const log = "2026-01-02T03:04:05.678Z INFO storage/measure/tstable.go:123 flushed {\"group\": \"sw_metric\", \"part\": \"00000000000001a2\", \"took\": \"12ms\"}\n"
	const yaml = "server:\n  grpc-port: 17912\n  endpoints: http://etcd-0:2379,http://etcd-1:2379\n  password: hunter2\n"
	for _, c := range []struct{ name, text string }{{"log", log}, {"yaml", yaml}, {"base64", "TmVpdGhlciBhIHBhc3N3b3JkIG5vciBhIGtleTogd29yZHM"}} {
		b.Run(c.name, func(b *testing.B) {
			text := upTo(c.text, mib)
			b.SetBytes(mib)
			for b.Loop() {
				_ = Text(text)
			}
		})
	}
}

func BenchmarkValue(b *testing.B) {
	for b.Loop() {
		_ = Value("--etcd-endpoints", "http://etcd-0.etcd:2379,http://etcd-1.etcd:2379")
		_ = Value("storage.measure.flush-timeout", "30s")
	}
}
