package nodetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	_ "net/http/pprof" // the node's profiles
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Variable is the environment variable that has the Settings of a node, as JSON.
const Variable = "FODC_TEST_NODE"

// Settings are those of a process that plays a database node under load.
type Settings struct {
	// Metrics and Profiles are the addresses of its two servers.
	Metrics, Profiles string
	Log, PIDFile      string
	Page              string // a recorded page, whose samples it shows
	// Limit is what it says that its memory limit is, in bytes; 0: none.
	Limit int64
}

// node is what such a process does.
type node struct {
	Settings
	began time.Time
	lines []string // of the page, without those that it makes itself

	mu       sync.Mutex
	memory   [][]byte
	grow     int64 // bytes a second
	until    int64
	errors   float64 // a second
	failed   float64
	requests float64
	last     time.Time
}

// Run plays a node with the settings of Variable. It does not return.
func Run() {
	n := &node{began: time.Now(), last: time.Now()}
	if err := json.Unmarshal([]byte(os.Getenv(Variable)), &n.Settings); err != nil {
		panic(err)
	}
	var err error
	if n.lines, err = Lines(n.Page); err != nil {
		panic(err)
	}
	log, err := os.OpenFile(n.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		panic(err)
	}
	if err := os.WriteFile(n.PIDFile, []byte(strconv.Itoa(os.Getpid())), 0o644); err != nil {
		panic(err)
	}
	go n.work(log)
	go func() { panic(http.ListenAndServe(n.Profiles, nil)) }()
	mux := http.NewServeMux()
	mux.HandleFunc("/metrics", n.serve)
	mux.HandleFunc("/control", n.control)
	panic(http.ListenAndServe(n.Metrics, mux))
}

// work grows, and writes a line of log each second.
func (n *node) work(log *os.File) {
	const steps = 10 // a second
	for i := 0; ; i++ {
		<-time.After(time.Second / steps)
		n.mu.Lock()
		var held int64
		for _, m := range n.memory {
			held += int64(len(m))
		}
		if n.grow > 0 && held < n.until {
			n.fillCache(int(n.grow / steps))
		}
		passed := time.Since(n.last).Seconds()
		n.last = time.Now()
		n.failed += n.errors * passed
		n.requests += 50 * passed
		requests := n.requests
		n.mu.Unlock()
		if i%steps == 0 {
			_, _ = fmt.Fprintf(log, "{\"level\":\"info\",\"time\":%q,\"message\":\"%.0f requests\",\"token\":\"password=hunter2\"}\n", time.Now().UTC().Format(time.RFC3339), requests)
		}
	}
}

// fillCache has a name of its own in profiles.
func (n *node) fillCache(size int) {
	n.memory = append(n.memory, bytes.Repeat([]byte{1}, size))
}

func (n *node) control(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	number := func(name string) float64 {
		v, _ := strconv.ParseFloat(r.URL.Query().Get(name), 64)
		return v
	}
	n.grow, n.until, n.errors = int64(number("grow")), int64(number("until")), number("errors")
	if number("fault") > 0 {
		go dieByFault()
	}
	if number("exit") > 0 {
		os.Exit(int(number("exit")))
	}
	if number("drop") > 0 {
		n.memory = nil
		debug.FreeOSMemory()
	}
	_, _ = w.Write([]byte("ok\n"))
}

func (n *node) serve(w http.ResponseWriter, _ *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	resident, _ := residentBytes()
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	w.Header().Set("Content-Type", ContentType)
	_, _ = w.Write([]byte(Page(n.lines, Values{Resident: resident, Limit: n.Limit, Began: n.began, Goroutines: runtime.NumGoroutine(),
		CPU: float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9, Failed: n.failed, Requests: n.requests})))
}

// residentBytes is the resident memory of this process.
func residentBytes() (int64, error) {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	pages, err := strconv.ParseInt(strings.Fields(string(b))[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}
