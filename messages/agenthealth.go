package messages

import "time"

// AgentHealth is the state of an agent: its targets, its links to proxies and its recorder.
type AgentHealth struct {
	// Targets are sorted by endpoint, Proxies by address.
	Targets []TargetHealth `json:"targets"`
	Proxies []ProxyHealth  `json:"proxies"`
	Window  WindowHealth   `json:"window"`
	// Telemetry is nil where the host is not recorded.
	Telemetry *TelemetryHealth `json:"telemetry,omitempty"`
	// Journal is nil where scrapes are kept in memory only.
	Journal *JournalHealth `json:"journal,omitempty"`
	// Crashes is nil where the agent looks for no crashes of the node.
	Crashes *CrashHealth `json:"crashes,omitempty"`
	// Incidents is nil where the agent has no incidents.
	Incidents *IncidentsHealth `json:"incidents,omitempty"`
	// Files are those that are read again when they change.
	Files []FileStatus `json:"files,omitempty"`
	// Events are the newest of those the recorder keeps, oldest first.
	Events []AgentEvent `json:"events"`
}

// TargetHealth is the newest scrape of one endpoint.
type TargetHealth struct {
	// Endpoint is the URL that is scraped.
	Endpoint      string `json:"endpoint"`
	ContainerName string `json:"container_name,omitempty"`
	// Up says that the newest scrape gave a page. It is false before the first scrape.
	Up bool `json:"up"`
	// LastScrape is when the newest scrape began; zero before the first.
	LastScrape      time.Time `json:"last_scrape,omitzero"`
	DurationSeconds float64   `json:"duration_seconds"`
	// PageBytes is the size of the page after decompression, Samples its number of samples.
	PageBytes int `json:"page_bytes"`
	Samples   int `json:"samples"`
	// BadLines counts lines of the page that were skipped.
	BadLines int `json:"bad_lines"`
	// Error says why the target is down, or what is wrong with the first bad line.
	Error string `json:"error,omitempty"`
	// LastError is the newest error so far. It may be over.
	LastError *TargetError `json:"last_error,omitempty"`
	// Counts since the agent's start: scrapes, pages without a known content type, scrapes
	// that gave no page, by kind, and samples that were dropped, by reason.
	Scrapes      int            `json:"scrapes"`
	UntypedPages int            `json:"untyped_pages"`
	Failures     map[string]int `json:"failures"`
	Dropped      map[string]int `json:"dropped_samples"`
}

// TargetError is what was wrong with a scrape.
type TargetError struct {
	// At is when the scrape began.
	At time.Time `json:"at"`
	// Kind is "bad_lines" where some lines were skipped, else why there was no page:
	// "refused", "timeout", "connection", "status", "encoding", "body_limit",
	// "label_limit", "sample_limit", "page" or "token".
	Kind  string `json:"kind"`
	Error string `json:"error"`
}

// TelemetryHealth is the state of the host telemetry.
type TelemetryHealth struct {
	// LastRead is when the newest reading began. It is zero before the first.
	LastRead time.Time `json:"last_read,omitzero"`
	Samples  int       `json:"samples"`
	// Missing are the parts that could not be read, or not wholly, sorted by name.
	Missing []MissingPart `json:"missing"`
	// Kernel is what runs in the kernel; nil: nothing is to run there.
	Kernel *KernelHealth `json:"kernel,omitempty"`
}

// KernelHealth is the state of the programs in the kernel.
type KernelHealth struct {
	// Error is why nothing runs; empty: Programs says what runs.
	Error    string          `json:"error,omitempty"`
	Programs []KernelProgram `json:"programs"`
}

// KernelProgram is a program in the kernel.
type KernelProgram struct {
	Name string `json:"name"`
	Runs bool   `json:"runs"`
	// Error is why it does not run.
	Error string `json:"error,omitempty"`
}

// MissingPart is a part of the host telemetry that is missing, and why.
type MissingPart struct {
	Part  string `json:"part"`
	Error string `json:"error"`
}

// CrashHealth is where an agent finds out about crashes of the node.
type CrashHealth struct {
	// Records is the number of crash records that the agent has.
	Records int                 `json:"records"`
	Sources []CrashSourceHealth `json:"sources"`
}

// CrashSourceHealth is a directory of crash artifacts, or a log of the node.
type CrashSourceHealth struct {
	// Kind is "directory" or "log".
	Kind string `json:"kind"`
	Path string `json:"path"`
	// Error says why it cannot be read; empty if it can.
	Error string `json:"error,omitempty"`
}

// Where the evidence of incidents is kept: IncidentsHealth.Storage.
const (
	IncidentsOnDisk   = "disk"
	IncidentsInMemory = "memory"
)

// IncidentsHealth is how the rules and the incidents of an agent do.
type IncidentsHealth struct {
	// Open counts the incidents that are open, Kept all.
	Open int `json:"open"`
	Kept int `json:"kept"`
	// EvidenceBytes is the size of all evidence.
	EvidenceBytes int64 `json:"evidence_bytes"`
	// Storage is "disk" or "memory", for incidents that begin now.
	Storage string `json:"storage"`
	// Error says why the directory cannot be used, or incidents cannot be written; empty if they can.
	Error string      `json:"error,omitempty"`
	Rules RulesHealth `json:"rules"`
}

// RulesHealth is how the alerting rules of an agent do.
type RulesHealth struct {
	// Rules is the number of rules, Pending and Firing that of their alerts.
	Rules   int `json:"rules"`
	Pending int `json:"pending"`
	Firing  int `json:"firing"`
	// Failures counts evaluations of single rules that failed, LastSeconds is the duration of the latest
	// evaluation of all.
	Failures    int     `json:"evaluation_failures"`
	LastSeconds float64 `json:"last_evaluation_seconds"`
	// LoadedAt is when the files of rules were last read with success; Loaded is false if the latest attempt has
	// failed.
	LoadedAt time.Time `json:"loaded_at,omitzero"`
	Loaded   bool      `json:"last_reload_successful"`
	// Error says why rules cannot be evaluated; empty if they can.
	Error string `json:"error,omitempty"`
}

// LinkState is the state of an agent's link to a proxy.
type LinkState string

// A link is connecting until a session is registered, waiting between two attempts, and
// leaving after the agent's goodbye.
const (
	LinkConnecting LinkState = "connecting"
	LinkConnected  LinkState = "connected"
	LinkWaiting    LinkState = "waiting"
	LinkLeaving    LinkState = "leaving"
)

// ProxyHealth is the link to one proxy.
type ProxyHealth struct {
	Address string    `json:"address"`
	State   LinkState `json:"state"`
	// Since is when the state began.
	Since time.Time `json:"since,omitzero"`
	// AgentID is the session's public id, as the proxy shows it. It is empty while there
	// is no session, and with a proxy of the baseline: that knows only the secret key.
	AgentID string `json:"agent_id,omitempty"`
	// Error says why the newest session ended or could not begin. It is empty while
	// connected.
	Error string `json:"error,omitempty"`
}

// AgentEvent is something that happened to what an agent scrapes.
type AgentEvent struct {
	// Event is "restart" (of the target's process), "scrape_failed", "agent_started" or
	// "agent_stopped"; of what the kernel tells "process_exit", "process_signal" or "memory_kill".
	Event string `json:"event"`
	// Target is the endpoint's URL, or "agent", or "host".
	Target string `json:"target"`
	// At is the time of the scrape that showed it, or when it was, to the millisecond. Consecutive failed scrapes are one event:
	// Last is the time of the newest of them, Scrapes their number.
	At      time.Time `json:"at"`
	Last    time.Time `json:"last"`
	Scrapes int       `json:"scrapes"`
	// Detail is a text for people.
	Detail string `json:"detail,omitempty"`
}

// WindowHealth is the state of the recorder's window.
type WindowHealth struct {
	// Series and Samples are those held.
	Series  int   `json:"series"`
	Samples int   `json:"samples"`
	Bytes   int64 `json:"bytes"`
	// LimitBytes is the limit of Bytes, LimitSeries that of Series.
	LimitBytes  int64 `json:"limit_bytes"`
	LimitSeries int   `json:"limit_series"`
	// SpanSeconds is the time between the oldest sample and the newest.
	SpanSeconds float64 `json:"span_seconds"`
	// Counts of samples since the agent's start: recorded; evicted because memory is limited;
	// dropped because there was no room for a new series; dropped as invalid; dropped as
	// duplicates.
	Recorded    uint64 `json:"recorded_samples"`
	Evicted     uint64 `json:"evicted_samples"`
	SeriesLimit uint64 `json:"series_limit_samples"`
	Rejected    uint64 `json:"rejected_samples"`
	Duplicates  uint64 `json:"duplicate_samples"`
}
