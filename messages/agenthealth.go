package messages

import "time"

// AgentHealth is how an agent does: what it scrapes, whom it reports to and what
// its recorder holds.
type AgentHealth struct {
	// Targets are sorted by endpoint, Proxies by address.
	Targets []TargetHealth `json:"targets"`
	Proxies []ProxyHealth  `json:"proxies"`
	Window  WindowHealth   `json:"window"`
	// Telemetry is nil where the host is not recorded.
	Telemetry *TelemetryHealth `json:"telemetry,omitempty"`
	// Events are the newest of those the recorder keeps, oldest first.
	Events []AgentEvent `json:"events"`
}

// TargetHealth is the newest scrape of one endpoint.
type TargetHealth struct {
	// Endpoint is the URL that is scraped.
	Endpoint      string `json:"endpoint"`
	ContainerName string `json:"container_name,omitempty"`
	// Up says that the newest scrape gave a page; false before the first.
	Up bool `json:"up"`
	// LastScrape is when the newest scrape began; zero before the first.
	LastScrape      time.Time `json:"last_scrape,omitzero"`
	DurationSeconds float64   `json:"duration_seconds"`
	// PageBytes is the size of the page, unzipped; Samples counts those on it.
	PageBytes int `json:"page_bytes"`
	Samples   int `json:"samples"`
	// BadLines counts lines of the page that were skipped.
	BadLines int `json:"bad_lines"`
	// Error says why the target is down, or what the first bad line was.
	Error string `json:"error,omitempty"`
	// LastError is the newest that there was, which may be over.
	LastError *TargetError `json:"last_error,omitempty"`
	// Since the agent was started: scrapes, those whose page had no content type that is
	// known, those that gave no page, by kind, and samples that are not recorded, by
	// reason.
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
	// "sample_limit" or "page".
	Kind  string `json:"kind"`
	Error string `json:"error"`
}

// TelemetryHealth is the newest reading of the host.
type TelemetryHealth struct {
	// LastRead is when it began; zero before the first.
	LastRead time.Time `json:"last_read,omitzero"`
	Readings int       `json:"readings"`
	// Missing are the parts that are not there, or not whole, sorted by name.
	Missing []MissingPart `json:"missing"`
}

// MissingPart is a part of the host that is left out, and why.
type MissingPart struct {
	Part  string `json:"part"`
	Error string `json:"error"`
}

// LinkState is how an agent stands with a proxy.
type LinkState string

// A link connects until a session is registered; it waits between two attempts; it
// is leaving once the agent has said goodbye.
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
	// AgentID is the id of the session; empty while there is none.
	AgentID string `json:"agent_id,omitempty"`
	// Error says why the newest session ended, or could not begin; empty while
	// connected.
	Error string `json:"error,omitempty"`
}

// AgentEvent is something that happened to what an agent scrapes.
type AgentEvent struct {
	// Event is "restart", of the process behind the target, or "scrape_failed".
	Event string `json:"event"`
	// Target is the endpoint's URL, or "agent", or "host".
	Target string `json:"target"`
	// At is the time of the scrape that showed it. Scrapes that fail one after the other
	// are one event: Last is the time of the newest of them, Scrapes their number.
	At      time.Time `json:"at"`
	Last    time.Time `json:"last"`
	Scrapes int       `json:"scrapes"`
	// Detail says more, for people.
	Detail string `json:"detail,omitempty"`
}

// WindowHealth is what the recorder holds.
type WindowHealth struct {
	// Series and Samples are those held.
	Series  int   `json:"series"`
	Samples int   `json:"samples"`
	Bytes   int64 `json:"bytes"`
	// LimitBytes is what Bytes may grow to, LimitSeries what Series may.
	LimitBytes  int64 `json:"limit_bytes"`
	LimitSeries int   `json:"limit_series"`
	// SpanSeconds is the time between the oldest sample and the newest.
	SpanSeconds float64 `json:"span_seconds"`
	// Since the agent was started: samples that were recorded; those of them that had to
	// go since memory is limited; those of new series for which there was no room; those
	// that no page may have; those that were twice on a page.
	Recorded   uint64 `json:"recorded_samples"`
	Evicted    uint64 `json:"evicted_samples"`
	Shed       uint64 `json:"shed_samples"`
	Rejected   uint64 `json:"rejected_samples"`
	Duplicates uint64 `json:"duplicate_samples"`
}
