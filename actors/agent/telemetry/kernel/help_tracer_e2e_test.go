//go:build e2e && linux && (amd64 || arm64)

package kernel

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
)

// playTracer starts a tracer, says so, and stays until it is ended.
func playTracer() {
	t := Start(Config{DataDirs: []string{"/"}})
	fmt.Println(t.Wait(context.Background()))
	_, _ = os.Stdin.Read(make([]byte, 1))
	t.Close()
	runtime.GC() // The library frees the memory of variables then.
	fmt.Println("closed")
	_, _ = os.Stdin.Read(make([]byte, 1))
}

// statusText is what playStatus prints.
type statusText struct {
	Text, Missing string
	Reasons       map[string]string
	Marked        bool
}

// playStatus prints what runs.
func playStatus() {
	t := Start(Config{})
	status := t.Wait(context.Background())
	s := statusText{Text: status.String(), Missing: status.Missing(), Reasons: map[string]string{}}
	for _, p := range status.Programs {
		if p.Err != nil {
			s.Reasons[p.Name] = p.Err.Error()
		}
	}
	s.Marked = t.Follow(os.Getppid()) == nil
	t.Close()
	_ = json.NewEncoder(os.Stdout).Encode(s)
}

// playPeers follows the process whose id it reads, and then says how many resets others have sent.
func playPeers() {
	t := Start(Config{})
	defer t.Close()
	fmt.Println("ok", t.Wait(context.Background()).Running())
	var pid int
	var order string
	_, _ = fmt.Scanln(&pid)
	if err := t.Follow(pid); err != nil {
		fmt.Println("error", err)
		return
	}
	fmt.Println("ok 0")
	_, _ = fmt.Scanln(&order)
	c, err := t.loaded.read()
	if err != nil {
		fmt.Println("error", err)
		return
	}
	resets := uint64(0)
	for _, p := range c.Peers {
		resets += p.ResetsReceived
	}
	fmt.Println("ok", resets)
}
