package crash

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Exit is the end of a process, as a log or the system has said it.
type Exit struct {
	At time.Time
	// PID is the process, 0 if it is not known.
	PID int
	// Signal is the name of the signal that has ended it, such as SIGKILL; empty if there was none, or
	// it is not known.
	Signal string
	// Code is the exit code, -1 if it is not known.
	Code int
	// OutOfMemory says that the system has killed it because memory was short.
	OutOfMemory bool
	// Sender is who has sent the signal, such as "bash (28939)" or "the kernel"; empty if that is not known.
	Sender string
	// Text is what was said.
	Text string
}

// signals are those that end a process which does not expect them, by number and name. Those that
// ask a process to end, such as SIGTERM, are not among them.
var signals = map[string]string{"3": "SIGQUIT", "4": "SIGILL", "5": "SIGTRAP", "6": "SIGABRT", "7": "SIGBUS", "8": "SIGFPE",
	"9": "SIGKILL", "11": "SIGSEGV", "31": "SIGSYS"}

// signalTexts are what shells and Go say of them, in lower case.
var signalTexts = map[string]string{"quit": "SIGQUIT", "illegal instruction": "SIGILL", "trace/breakpoint trap": "SIGTRAP",
	"aborted": "SIGABRT", "bus error": "SIGBUS", "floating point exception": "SIGFPE", "killed": "SIGKILL",
	"segmentation fault": "SIGSEGV", "bad system call": "SIGSYS"}

// IsFailure reports whether the process has ended as none should.
func (e Exit) IsFailure() bool { return e.OutOfMemory || e.Signal != "" }

// Fields are what the end adds to the metadata of the process.
func (e Exit) Fields() map[string]string {
	f := map[string]string{}
	if e.PID > 0 {
		f[PIDField] = strconv.Itoa(e.PID)
	}
	if e.Signal != "" {
		f[SignalField] = e.Signal
	}
	if e.Sender != "" {
		f["signal_sender"] = e.Sender
	}
	if e.Code >= 0 {
		f["exit_code"] = strconv.Itoa(e.Code)
	}
	if e.OutOfMemory {
		f["out_of_memory"] = "true"
	}
	return f
}

var (
	// shellExit is what a shell says of a script's process.
	shellExit = regexp.MustCompile(`: line \d+:\s+(\d{1,10}) ([A-Z][a-z/ ]+?)(?: \(core dumped\))?(?:\s{2}.*)?$`)
	// kernelKill is what the kernel says of a process that it has killed.
	kernelKill = regexp.MustCompile(`[Oo]ut of memory: Kill(?:ed)? process (\d{1,10}) \(`)
	// bySignal is what supervisors of processes say.
	bySignal   = regexp.MustCompile(`(?i)\b(?:killed by|terminated by|terminated on|exited on|exited with|received|got|caught|died from) signal:? ?\(?(SIG[A-Z]{3,4}|\d{1,2})\b`)
	systemd    = regexp.MustCompile(`code=(?:killed|dumped), status=(\d{1,2})/`)
	exitStatus = regexp.MustCompile(`^exit status (\d{1,3})$`)
	oomKilled  = regexp.MustCompile(`\bOOMKilled\b`)
)

// maxWholeLine is longer than the lines that only say how a process has ended.
const maxWholeLine = 64

// parseExit returns the end of a process that a line tells of, if it does. Most lines have none of the words, and
// are matched with no expression.
func parseExit(line string) (Exit, bool) {
	e := Exit{Code: -1, Text: strings.TrimSpace(line)}
	if len(e.Text) <= maxWholeLine && e.isWhole() {
		return e, true
	}
	has := func(word string) bool { return strings.Contains(line, word) }
	if has(": line ") {
		if m := shellExit.FindStringSubmatch(e.Text); m != nil && signalTexts[strings.ToLower(m[2])] != "" {
			e.PID, _ = strconv.Atoi(m[1])
			e.Signal = signalTexts[strings.ToLower(m[2])]
			return e, true
		}
	}
	if has("ut of memory: Kill") {
		if m := kernelKill.FindStringSubmatch(line); m != nil {
			e.PID, _ = strconv.Atoi(m[1])
			e.Signal, e.OutOfMemory = "SIGKILL", true
			return e, true
		}
	}
	if has("OOMKilled") && oomKilled.MatchString(line) {
		e.Signal, e.OutOfMemory = "SIGKILL", true
		return e, true
	}
	if has("code=killed") || has("code=dumped") {
		if m := systemd.FindStringSubmatch(line); m != nil {
			e.Signal = signalName(m[1])
			return e, e.Signal != ""
		}
	}
	if has("ignal") && (has("illed by") || has("erminated ") || has("xited ") || has("eceived ") || has("ot ") || has("aught ") || has("ied from ")) {
		if m := bySignal.FindStringSubmatch(line); m != nil {
			e.Signal = signalName(m[1])
			return e, e.Signal != ""
		}
	}
	return Exit{}, false
}

// isWhole reads a line that only says how a process has ended.
func (e *Exit) isWhole() bool {
	whole := strings.ToLower(strings.TrimSuffix(e.Text, " (core dumped)"))
	if e.Signal = signalTexts[strings.TrimPrefix(whole, "signal: ")]; e.Signal != "" {
		return true
	}
	if m := exitStatus.FindStringSubmatch(e.Text); m != nil {
		e.Code, _ = strconv.Atoi(m[1])
		return true
	}
	return false
}

// signalName returns the name of a signal that ends a process which does not expect it; empty for others.
func signalName(text string) string {
	if name := signals[strings.TrimLeft(text, "0")]; name != "" {
		return name
	}
	text = strings.ToUpper(text)
	for _, name := range signals {
		if name == text {
			return name
		}
	}
	return ""
}
