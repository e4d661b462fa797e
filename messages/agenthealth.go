package messages

import "time"

// AgentHealth is how an agent does: what it scrapes, whom it reports to and what
// its recorder holds.
type AgentHealth struct {
	// Targets are sorted by endpoint, Proxies by address.
	Targets []TargetHealth `json:"targets"`
	Proxies []ProxyHealth  `json:"proxies"`
	Window  WindowHealth   `json:"window"`
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
	Samples         int       `json:"samples"`
	// BadLines counts lines of the page that were skipped.
	BadLines int `json:"bad_lines"`
	// Error says why the target is down, or what the first bad line was.
	Error string `json:"error,omitempty"`
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
	Series  int   `json:"series"`
	Samples int   `json:"samples"`
	Bytes   int64 `json:"bytes"`
	// LimitBytes is what Bytes may grow to.
	LimitBytes int64 `json:"limit_bytes"`
	// SpanSeconds is the time between the oldest sample and the newest.
	SpanSeconds float64 `json:"span_seconds"`
}
