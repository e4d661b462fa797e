package agent

import (
	"runtime"
	"runtime/metrics"
	"time"

	"fodc/actors"
	"fodc/actors/agent/telemetry"
	"fodc/messages"
	"fodc/recorder"

	"github.com/prometheus/procfs"
	"go.uber.org/zap"
)

// selfTarget is the agent itself, as a target of the recorder.
const selfTarget = "agent"

// selfMetrics records the agent's own process each interval. It reads kernel files that
// cannot block.
type selfMetrics struct {
	log      *zap.Logger
	from     selfSources
	version  string
	schedule schedule
	process  func() []recorder.Sample
	actors   func() messages.ActorCounts
	// more are further metrics.
	more []func() []recorder.Sample
	// logLinesDropped counts the lines that the log could not write.
	logLinesDropped func() uint64

	clock clockState
	begun time.Time // of the actor

	at       time.Time         // of the scrape that waits for statistics; zero: none
	gathered []recorder.Sample // of that scrape: what other actors have said
	timer    actors.Timer
}

// selfSources are the actors that are asked how they do, one after the other. The recorder gets the
// scrape, too. Others that are nil do not exist.
type selfSources struct{ recorder, journal, database *actors.PID }

func newSelfMetrics(sys *actors.System, from selfSources, cfg Config) *selfMetrics {
	return &selfMetrics{log: sys.Log(), from: from, version: cfg.Version, schedule: newSchedule(selfTarget, cfg.ScrapeInterval),
		process: cfg.Process, actors: sys.Counts, more: cfg.more, begun: time.Now(), logLinesDropped: cfg.LogLinesDropped}
}

func (s *selfMetrics) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case *actors.Started:
		s.onDue(c)
	case *actors.Stopping, *actors.Restarting:
		s.timer.Disarm()
	case *actors.Stopped:
	case actors.Tick:
		if s.timer.Fired(m) {
			s.onDue(c)
		}
	case recorder.Stats:
		s.gathered = windowSamples(m)
		s.askJournal(c)
	case journalStatus:
		s.gathered = append(s.gathered, journalSamples(m)...)
		s.askDatabase(c)
	case []portStatus:
		s.gathered = append(s.gathered, portSamples(m)...)
		s.record(c)
	default:
		unknownMessage(s.log, m)
	}
}

func (s *selfMetrics) onDue(c actors.Context) {
	now := time.Now()
	s.clock.look(now, now.Sub(s.begun))
	s.at = s.schedule.snap(now)
	s.timer.Arm(c, s.schedule.next(now).Sub(now))
	actors.Request(c, s.from.recorder, readStats{})
}

func (s *selfMetrics) askJournal(c actors.Context) {
	if s.from.journal == nil {
		s.askDatabase(c)
		return
	}
	actors.Request(c, s.from.journal, readJournal{})
}

func (s *selfMetrics) askDatabase(c actors.Context) {
	if s.from.database == nil {
		s.record(c)
		return
	}
	actors.Request(c, s.from.database, readPorts{})
}

// record sends the scrape to the recorder, with what was gathered.
func (s *selfMetrics) record(c actors.Context) {
	if s.at.IsZero() {
		return // the request was sent before a restart
	}
	samples := append(s.process(), runtimeSamples()...)
	samples = append(samples, s.gathered...)
	samples = append(samples, s.clock.samples()...)
	for _, of := range s.more {
		samples = append(samples, of()...)
	}
	samples = append(samples, actorSamples(s.actors())...)
	samples = append(samples, counter("fodc_agent_log_lines_dropped_total",
		"Lines of the agent's log that were dropped, because its reader was slow or gone, or its disk was full.", float64(s.logLinesDropped())))
	samples = append(samples, recorder.Sample{Name: "fodc_agent_build_info", Type: messages.TypeGauge,
		Help: "The agent's version; the value is 1.", Value: 1,
		Labels: []messages.Label{{Name: "version", Value: s.version}}})
	actors.Request(c, s.from.recorder, scraped{target: recorder.Target{Name: selfTarget},
		scrape: recorder.Scrape{At: s.at, Samples: samples}})
	s.at, s.gathered = time.Time{}, nil
}

func gauge(name, help string, value float64) recorder.Sample {
	return recorder.Sample{Name: name, Type: messages.TypeGauge, Help: help, Value: value}
}

func counter(name, help string, value float64) recorder.Sample {
	return recorder.Sample{Name: name, Type: messages.TypeCounter, Help: help, Value: value}
}

func windowSamples(s recorder.Stats) []recorder.Sample {
	return []recorder.Sample{
		gauge("fodc_agent_window_series", "Series in the recorder's window.", float64(s.Series)),
		gauge("fodc_agent_window_limit_series", "Series that the recorder's window may have.", float64(s.LimitSeries)),
		gauge("fodc_agent_window_samples", "Samples in the recorder's window.", float64(s.Samples)),
		gauge("fodc_agent_window_bytes", "Memory that the recorder's window takes.", float64(s.Bytes)),
		gauge("fodc_agent_window_limit_bytes", "Memory that the recorder's window may take.", float64(s.LimitBytes)),
		gauge("fodc_agent_window_span_seconds", "Time between the oldest sample in the window and the newest.", s.Span().Seconds()),
		counter("fodc_agent_recorded_samples_total", "Samples that were recorded.", float64(s.Appended)),
		counter("fodc_agent_evicted_samples_total", "Recorded samples that were removed, the oldest first, because the window was full.", float64(s.Evicted)),
		counter("fodc_agent_series_limit_samples_total", "Samples of new series that were dropped because the window was full.", float64(s.DroppedNoRoom)),
		counter("fodc_agent_rejected_samples_total", "Samples whose name or labels are not allowed.", float64(s.DroppedNotAllowed)),
		counter("fodc_agent_duplicate_samples_total", "Samples of a series that was on a page twice.", float64(s.DroppedDuplicate)),
	}
}

// runtimeSamples are the metrics of Go's runtime.
func runtimeSamples() []recorder.Sample {
	runtimeMetrics := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/gc/cycles/total:gc-cycles"}}
	metrics.Read(runtimeMetrics)
	samples := []recorder.Sample{
		gauge("fodc_agent_go_goroutines", "Goroutines of the agent.", float64(runtime.NumGoroutine()))}
	if v := runtimeMetrics[0].Value; v.Kind() == metrics.KindUint64 {
		samples = append(samples, gauge("fodc_agent_go_heap_bytes", "Bytes of objects on the agent's heap.", float64(v.Uint64())))
	}
	if v := runtimeMetrics[1].Value; v.Kind() == metrics.KindUint64 {
		samples = append(samples, counter("fodc_agent_go_gc_cycles_total", "Garbage collections of the agent.", float64(v.Uint64())))
	}
	return samples
}

// ownProcess is the agent's process.
type ownProcess struct {
	// constant are the samples that do not change; nil before they were read.
	constant []recorder.Sample
}

// samples returns what the kernel says of the process. What cannot be read is left out.
func (o *ownProcess) samples() []recorder.Sample {
	p, err := procfs.Self()
	if err != nil {
		return portableSamples()
	}
	var samples []recorder.Sample
	if stat, err := p.Stat(); err == nil {
		if o.constant == nil {
			o.constant = constantSamples(p, stat)
		}
		samples = append(samples,
			cpuSample(stat.CPUTime()),
			gauge("fodc_agent_process_virtual_memory_bytes", "Virtual memory of the agent.", float64(stat.VirtualMemory())),
			gauge("fodc_agent_process_resident_memory_bytes", "Resident memory of the agent.", float64(stat.ResidentMemory())),
			gauge("fodc_agent_process_threads", "Threads of the agent.", float64(stat.NumThreads)))
	}
	if n, err := p.FileDescriptorsLen(); err == nil {
		samples = append(samples, gauge("fodc_agent_process_open_fds", "Open file descriptors of the agent.", float64(n)))
	}
	return append(samples, o.constant...)
}

// constantSamples are those that do not change while the process lives.
func constantSamples(p procfs.Proc, stat procfs.ProcStat) []recorder.Sample {
	samples := []recorder.Sample{}
	if start, err := stat.StartTime(); err == nil {
		samples = append(samples, startSample(start))
	}
	if limits, err := p.Limits(); err == nil {
		samples = append(samples, gauge("fodc_agent_process_max_fds", "File descriptors that the agent may open.", float64(limits.OpenFiles)))
	}
	return samples
}

// portableSamples are the samples of systems without a /proc.
func portableSamples() []recorder.Sample {
	samples := []recorder.Sample{startSample(telemetry.OwnStart())}
	if used, err := telemetry.OwnCPUTime(); err == nil {
		samples = append(samples, cpuSample(used.Seconds()))
	}
	return samples
}

func cpuSample(seconds float64) recorder.Sample {
	return counter("fodc_agent_process_cpu_seconds_total", "CPU time that the agent has used.", seconds)
}

func startSample(seconds float64) recorder.Sample {
	return gauge("fodc_agent_process_start_time_seconds", "When the agent was started, as unix time.", seconds)
}

// hostLoad is the host's load average over one minute; 0 where it cannot be read.
func hostLoad() float64 {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return 0
	}
	load, err := fs.LoadAvg()
	if err != nil {
		return 0
	}
	return load.Load1
}
