package promapi

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/util/features"
)

// engineVersion is the version of Prometheus whose engine this is. Clients choose by it what they
// send, so it is not the version of this program.
const engineVersion = "3.15.0"

func (a *API) buildInfo(*request) (result, error) {
	return result{data: struct {
		Version   string `json:"version"`
		Revision  string `json:"revision"`
		Branch    string `json:"branch"`
		BuildUser string `json:"buildUser"`
		BuildDate string `json:"buildDate"`
		GoVersion string `json:"goVersion"`
	}{Version: engineVersion, Revision: a.cfg.Revision, GoVersion: runtime.Version()}}, nil
}

func (a *API) runtimeInfo(*request) (result, error) {
	host, _ := os.Hostname() // Empty where the system does not say.
	gogc := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(gogc)
	percent := ""
	if gogc[0].Value.Kind() == metrics.KindUint64 {
		percent = strconv.FormatUint(gogc[0].Value.Uint64(), 10)
	}
	return result{data: struct {
		StartTime           time.Time `json:"startTime"`
		CWD                 string    `json:"CWD"`
		Hostname            string    `json:"hostname"`
		ServerTime          time.Time `json:"serverTime"`
		ReloadConfigSuccess bool      `json:"reloadConfigSuccess"`
		LastConfigTime      time.Time `json:"lastConfigTime"`
		CorruptionCount     int64     `json:"corruptionCount"`
		GoroutineCount      int       `json:"goroutineCount"`
		GOMAXPROCS          int       `json:"GOMAXPROCS"`
		GOMEMLIMIT          int64     `json:"GOMEMLIMIT"`
		GOGC                string    `json:"GOGC"`
		GODEBUG             string    `json:"GODEBUG"`
		StorageRetention    string    `json:"storageRetention"`
	}{
		StartTime: a.cfg.Started.UTC(), Hostname: host, ServerTime: a.cfg.Now().UTC(), ReloadConfigSuccess: true,
		LastConfigTime: a.cfg.Started.UTC(), GoroutineCount: runtime.NumGoroutine(), GOMAXPROCS: runtime.GOMAXPROCS(0),
		GOMEMLIMIT: debug.SetMemoryLimit(-1), GOGC: percent, GODEBUG: os.Getenv("GODEBUG"),
	}}, nil
}

func (a *API) flags(*request) (result, error) {
	flags := a.cfg.Flags
	if flags == nil {
		flags = map[string]string{}
	}
	return result{data: flags}, nil
}

// config answers with the smallest configuration of a Prometheus: there is no such file.
func (a *API) config(*request) (result, error) {
	return result{data: object{"yaml": "global: {}\n"}}, nil
}

func (a *API) featureList(*request) (result, error) { return result{data: a.features}, nil }

// withAPIFeatures adds what the API can do to what the engine can do.
func withAPIFeatures(f map[string]map[string]bool) map[string]map[string]bool {
	f[features.API] = map[string]bool{
		"admin": false, "lifecycle": false, "otlp_write_receiver": false, "remote_write_receiver": false, "search": false,
		"label_values_match": true, "query_warnings": true, "query_stats": true, "time_range_series": true,
		"time_range_labels": true, "exclude_alerts": true,
	}
	return f
}
