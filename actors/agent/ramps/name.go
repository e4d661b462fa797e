package ramps

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"fodc/actors/agent/capture"
)

const (
	nameTime  = "20060102T150405.000Z"
	extension = ".pb.gz"
	half      = ".tmp"
	// maxType bounds the name of a profile's type.
	maxType = 32
)

// Moment is when something was captured, and the node's memory then.
type Moment struct {
	At time.Time
	// Ramp is when the ramp began.
	Ramp            time.Time
	Resident, Limit uint64
}

// profile is a profile that is kept.
type profile struct {
	Moment
	kind  string
	bytes int64
}

// name is the name of its file: TIME_RAMP_RESIDENT_LIMIT_TYPE.pb.gz.
func (p *profile) name() string {
	return fmt.Sprintf("%s_%s_%d_%d_%s%s", p.At.UTC().Format(nameTime), p.Ramp.UTC().Format(nameTime), p.Resident, p.Limit, p.kind, extension)
}

// parseName returns the profile that a file has, by its name.
func parseName(name string) (p profile, ok bool) {
	text, is := strings.CutSuffix(name, extension)
	fields := strings.Split(text, "_")
	if !is || len(fields) != 5 || !isType(fields[4]) {
		return p, false
	}
	at, err1 := time.Parse(nameTime, fields[0])
	ramp, err2 := time.Parse(nameTime, fields[1])
	resident, err3 := strconv.ParseUint(fields[2], 10, 64)
	limit, err4 := strconv.ParseUint(fields[3], 10, 64)
	if err1 != nil || err2 != nil || err3 != nil || err4 != nil {
		return p, false
	}
	p = profile{Moment: Moment{At: at, Ramp: ramp, Resident: resident, Limit: limit}, kind: fields[4]}
	return p, p.name() == name
}

func isType(kind string) bool {
	return kind != "" && len(kind) <= maxType && strings.Trim(kind, "abcdefghijklmnopqrstuvwxyz") == ""
}

func (p *profile) shown() capture.RampProfile {
	return capture.RampProfile{ID: p.name(), Type: p.kind, At: p.At, Resident: p.Resident, Limit: p.Limit, Bytes: p.bytes}
}
