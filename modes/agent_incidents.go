package modes

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"fodc/actors/agent"
	"fodc/actors/agent/capture"
	"fodc/actors/agent/nodeconfig"
	"fodc/actors/agent/ramps"
	"fodc/actors/agent/rules"
	"fodc/messages"
	"fodc/recorder/evidence"
	"fodc/recorder/evidence/dirfs"
	"fodc/recorder/journal/diskfs"

	"github.com/alecthomas/units"
	"go.uber.org/zap"
)

// AgentIncidentsConfig is when an agent has an incident, and what it keeps of one.
type AgentIncidentsConfig struct {
	// Enabled: rules are evaluated, and evidence is kept. Default true.
	Enabled bool
	// RuleFiles are globs of files with alerting rules. Default none.
	RuleFiles []string
	// BuiltinRules: the rules that are built in count, too. Default true.
	BuiltinRules bool
	// Before is how much of the evidence lies before the first occurrence, After how much behind the last firing.
	// Defaults 10 m and 2 m.
	Before, After time.Duration
	// CoolDown is how long a rule opens no other incident, MaxDuration how long one is open at most. Defaults 10 m and 15 m.
	CoolDown, MaxDuration time.Duration
	// MaxCount and RetentionBytes bound what is kept. Defaults 200 and 512 MiB.
	MaxCount       int
	RetentionBytes int64
	// PprofEndpoint is the URL of the server that has the node's profiles. Default "": port 6060 of the hosts of
	// the metrics endpoints, if something answers there.
	PprofEndpoint string
	// AllowRemoteActions: not only this machine may change incidents. Default false.
	AllowRemoteActions bool
}

const (
	// incidentsDirName is the folder of incidents in a storage directory.
	incidentsDirName = "incidents"
	// rampsDirName is the folder of profiles that are captured while the node's memory grows.
	rampsDirName = "ramp-profiles"
	// maxRuleGlobs bounds the globs of files of rules.
	maxRuleGlobs = 32
	// defaultIncidentCount and defaultIncidentSize are the limits of an agent.
	defaultIncidentCount = "200"
	defaultIncidentSize  = "512MiB"
)

var (
	incidentBefore   = durationRange{0, time.Hour, "such as 10m"}
	incidentAfter    = durationRange{10 * time.Second, time.Hour, "such as 2m"}
	incidentCoolDown = durationRange{0, 2 * time.Hour, "such as 10m"}
	incidentDuration = durationRange{time.Minute, 2 * time.Hour, "such as 15m"}
	incidentCount    = intRange{1, 10_000}
	incidentSize     = sizeRange{16 * units.MiB, units.PiB}
)

// incidentOptions are the flags that standalone mode has, too.
func incidentOptions(c *AgentIncidentsConfig) []*option {
	pprof := textOption(&c.PprofEndpoint, "pprof-endpoint", "", "`URL` of the server with the node's profiles (net/http/pprof), which are captured at the beginning of an incident")
	pprof.defaultText = "--pressure-profiler-pprof-port, or port 6060 of the hosts of --metrics-endpoint, if something answers there"
	return []*option{
		boolOption(&c.Enabled, "incidents", true,
			"evaluate alerting rules, and keep the evidence of the minutes before and after one fires; off with --incidents=false"),
		listOption(&c.RuleFiles, "rule-file", "`GLOB` of files with alerting rules of Prometheus, which are added to the built-in ones or replace those of the same name; may be given several times"),
		boolOption(&c.BuiltinRules, "builtin-rules", true, "evaluate the built-in rules, too, which fodc rules prints; off with --builtin-rules=false"),
		incidentBefore.option(&c.Before, "incident-before", "10m", "`DURATION` of the evidence of an incident ahead of the first occurrence"),
		incidentAfter.option(&c.After, "incident-after", "2m", "`DURATION` of the evidence of an incident behind the last firing"),
		incidentCoolDown.option(&c.CoolDown, "incident-cooldown", "10m",
			"`DURATION` in which a rule opens no other incident; it doubles with each incident of a day, up to 2 h"),
		incidentDuration.option(&c.MaxDuration, "incident-max-duration", "15m", "`DURATION` for which an incident is open at most"),
		pprof,
	}
}

// ownIncidentOptions are the flags that standalone mode does not have, or has of its proxy.
func ownIncidentOptions(c *AgentIncidentsConfig) []*option {
	return []*option{
		intOption(&c.MaxCount, "incident-max-count", defaultIncidentCount,
			"`NUMBER` of incidents that are kept; the oldest are removed, but pinned ones and, as long as possible, the first one of each rule", incidentCount),
		incidentSize.option(&c.RetentionBytes, "incident-retention-size", defaultIncidentSize, "`SIZE` that the evidence of all incidents may have in the storage directory"),
		boolOption(&c.AllowRemoteActions, "allow-remote-actions", false, "let other machines than this one open, pin and delete incidents over HTTP, too"),
	}
}

// limitBy sets the limits of an agent that has no flags for them: they are those of its proxy, where these are smaller.
func (c *AgentIncidentsConfig) limitBy(p ProxyIncidentsConfig) {
	c.MaxCount, c.RetentionBytes = p.MaxCount, min(p.RetentionBytes, evidence.DefaultAgentMaxBytes)
}

func (c AgentIncidentsConfig) validate() error {
	if !c.Enabled {
		return nil
	}
	if err := cmp.Or(
		checkDistinct("rule-file", c.RuleFiles, maxRuleGlobs),
		incidentBefore.check("incident-before", c.Before),
		incidentAfter.check("incident-after", c.After),
		incidentCoolDown.check("incident-cooldown", c.CoolDown),
		incidentDuration.check("incident-max-duration", c.MaxDuration),
		incidentCount.check("incident-max-count", c.MaxCount),
		incidentSize.check("incident-retention-size", c.RetentionBytes),
		checkPprofEndpoint(c.PprofEndpoint),
	); err != nil {
		return err
	}
	return cmp.Or(checkIncidentTimes(c.After, c.MaxDuration), c.checkRules())
}

func checkIncidentTimes(after, maxDuration time.Duration) error {
	if after >= maxDuration {
		return invalid("incident-after", after.String(), "must be less than --incident-max-duration, which is %s", maxDuration)
	}
	return nil
}

// checkRules reads the files of rules. The error is one line.
func (c AgentIncidentsConfig) checkRules() error {
	for _, g := range c.RuleFiles {
		if !isText(g) || g == "" {
			return invalid("rule-file", g, "must be the path of a file, or a glob of several, one line of at most 4096 bytes, in UTF-8")
		}
	}
	if _, err := c.loadRules(); err != nil {
		return invalid("rule-file", strings.Join(c.RuleFiles, " "), "must be files of valid alerting rules: %s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return nil
}

// logUnmatched says which patterns match no file, as one that is misspelled does.
func (c AgentIncidentsConfig) logUnmatched(log *zap.Logger) {
	if !c.Enabled {
		return
	}
	for _, g := range rules.Unmatched(c.RuleFiles) {
		log.Warn("no file of rules matches (--rule-file): one that appears later is read then", zap.String("pattern", g))
	}
}

func (c AgentIncidentsConfig) loadRules() (*rules.Set, error) {
	return rules.Load(c.BuiltinRules, c.RuleFiles)
}

func checkPprofEndpoint(text string) error {
	const flag = "pprof-endpoint"
	if text == "" {
		return nil
	}
	if len(text) > messages.MaxTextBytes {
		return invalid(flag, text, "must have at most %d bytes", messages.MaxTextBytes)
	}
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || !isPortOrNone(u.Port()) || u.RawQuery != "" || u.Fragment != "" {
		return invalid(flag, text, "must be a URL such as http://HOST:6060, with http or https and a host, and without a query")
	}
	if u.User != nil {
		u.User = nil
		return invalid(flag, u.String(), "must have no user and password: they would show in logs and on pages")
	}
	return nil
}

// incidents returns when there is an incident, and what is kept; nil: never. s is the storage directory; nil: there is none.
func (c AgentConfig) incidents(s *storage) (*agent.IncidentsConfig, error) {
	i := c.Incidents
	if !i.Enabled {
		return nil, nil
	}
	set, err := i.loadRules()
	if err != nil {
		return nil, fmt.Errorf("read the rules (--rule-file): %w", err)
	}
	cfg := &agent.IncidentsConfig{Before: i.Before, After: i.After, CoolDown: i.CoolDown, MaxDuration: i.MaxDuration,
		Rules: set, RuleFiles: i.RuleFiles, LoadRules: i.loadRules, Capture: c.capture(),
		Limits: evidence.Limits{MaxCount: i.MaxCount, MaxBytes: i.RetentionBytes, MinFree: c.Storage.MinFree}}
	if s != nil {
		cfg.Dir = filepath.Join(s.dir, incidentsDirName)
		cfg.FS, cfg.Lock = dirfs.New(cfg.Dir), s.lock.acquire
	}
	return cfg, nil
}

// ramps returns where profiles are kept that are captured while the node's memory grows, for an incident that may follow; nil: they
// are not captured.
func (c AgentConfig) ramps(s *storage) *agent.RampConfig {
	if !c.Incidents.Enabled {
		return nil
	}
	r := &agent.RampConfig{Endpoint: c.pprofEndpoint(), NodePIDFile: c.NodePIDFile, NodeProcess: c.NodeProcess}
	if s != nil {
		dir := filepath.Join(s.dir, rampsDirName)
		r.Store = ramps.Config{Dir: dir, Lock: s.lock.acquire, Space: diskfs.New(dir).Space, MinFree: c.Storage.MinFree}
	}
	return r
}

// pprofEndpoint is the URL of the server that has the node's profiles; empty: port 6060 of the hosts of the metrics.
func (c AgentConfig) pprofEndpoint() string {
	if c.Incidents.PprofEndpoint == "" && c.Pressure.PprofPort != defaultPprofPort && c.Pressure.PprofPort != 0 {
		return "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(c.Pressure.PprofPort))
	}
	return strings.TrimRight(c.Incidents.PprofEndpoint, "/")
}

// capture returns what is captured at the beginning of an incident.
func (c AgentConfig) capture() capture.Config {
	process := nodeconfig.NewProcess(nodeconfig.Config{PIDFile: c.NodePIDFile, Process: c.NodeProcess, Endpoints: c.urls()})
	return capture.Config{Process: process.Find, Endpoint: c.pprofEndpoint(), Metrics: c.urls(), DataDirs: c.DataDirs, KernelLog: runtime.GOOS == "linux",
		NodeLogs: c.Crashes.LogFiles, CrashDirs: c.Crashes.Dirs}
}

// defaultPprofPort is where the database shows its profiles.
const defaultPprofPort = 6060
