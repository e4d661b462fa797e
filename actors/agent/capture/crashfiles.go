package capture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"fodc/actors/agent/crash"
	"fodc/actors/agent/mask"
	"fodc/messages"
)

const (
	// maxCrashFile bounds a file of an artifact, maxCrashBytes all of them, maxCrashes their number.
	maxCrashFile  = 16 << 20
	maxCrashBytes = 64 << 20
	maxCrashes    = 16
	crashTimeout  = 20 * time.Second
)

func (c *Config) crashSteps() (steps []Step) {
	if c.Crashes != nil {
		steps = append(steps, Step{What: messages.EvidenceCrash, Path: "crashes/records", Timeout: crashTimeout, Stays: true, More: c.crashRecords})
	}
	if len(c.CrashDirs) > 0 {
		steps = append(steps, Step{What: messages.EvidenceCrash, Path: "crashes/artifacts", Timeout: crashTimeout, Stays: true, More: func(context.Context) ([]Step, error) { return c.artifacts() }})
	}
	return steps
}

// crashRecords returns a step for each record from From on.
func (c *Config) crashRecords(ctx context.Context) (steps []Step, err error) {
	all, err := c.Crashes(ctx)
	if err != nil {
		return nil, fmt.Errorf("the records of crashes: %w", err)
	}
	names := newNames()
	for _, r := range all {
		if r.Panic.OccurredAt.Before(c.From) && r.FetchedAt.Before(c.From) {
			continue
		}
		name := r.Panic.OccurredAt.UTC().Format(rampTime) + "-" + r.Panic.Component
		steps = append(steps, document(messages.EvidenceCrash, names.path("crashes", name, ".json"), func(context.Context) (any, error) { return crashDocumentOf(r), nil }))
	}
	if len(steps) > maxCrashes {
		err = fmt.Errorf("there are %d records of crashes: the newest %d are taken", len(steps), maxCrashes)
		steps = steps[len(steps)-maxCrashes:]
	}
	return c.without(steps), err
}

// artifacts returns a step for each file of the artifacts from From on, the newest first.
func (c *Config) artifacts() (steps []Step, err error) {
	var failed []error
	names := newNames()
	left, leftOut := int64(maxCrashBytes), 0
	for _, dir := range c.CrashDirs {
		files, err := crash.Files(dir, c.From, maxCrashes)
		if err != nil {
			failed = append(failed, fmt.Errorf("crash artifacts (--crash-source-dir): %w", err))
		}
		for _, f := range files {
			if f.Bytes > maxCrashFile {
				failed = append(failed, fmt.Errorf("%s/%s has %d bytes, at most %d are taken", f.Artifact, f.Name, f.Bytes, maxCrashFile))
				continue
			}
			if f.Bytes > left {
				leftOut++
				continue
			}
			left -= f.Bytes
			steps = append(steps, artifactStep(dir, f, names.path("crashes/"+fileName(mask.Key(f.Artifact)), mask.Key(f.Name), "")))
		}
	}
	if leftOut > 0 {
		failed = append(failed, fmt.Errorf("%d files of crash artifacts are left out: all may have %d bytes", leftOut, maxCrashBytes))
	}
	return c.without(steps), errors.Join(failed...)
}

func artifactStep(dir string, f crash.File, path string) Step {
	return Step{What: messages.EvidenceCrash, Path: path, Limit: maxCrashFile, Timeout: crashTimeout, Run: func(_ context.Context, w io.Writer) error {
		file, err := f.Open(dir)
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		return copyArtifact(w, io.LimitReader(file, maxCrashFile+1), f)
	}}
}

// crashDocument is the record of a crash. Its names are those of the HTTP API.
type crashDocument struct {
	FetchedAt      time.Time     `json:"fetched_at,omitzero"`
	Panic          panicDocument `json:"panic_record"`
	SourceEndpoint string        `json:"source_endpoint"`
	ArtifactDir    string        `json:"artifact_dir"`
	Files          []string      `json:"files"`
}

type panicDocument struct {
	OccurredAt      time.Time            `json:"occurred_at,omitzero"`
	Component       string               `json:"component"`
	PanicValue      string               `json:"panic_value"`
	Recovered       bool                 `json:"recovered"`
	GoroutineStack  string               `json:"goroutine_stack"`
	Breadcrumbs     []breadcrumbDocument `json:"breadcrumbs"`
	ProcessMetadata map[string]string    `json:"process_metadata"`
}

type breadcrumbDocument struct {
	Time      time.Time         `json:"time,omitzero"`
	Stage     string            `json:"stage"`
	Component string            `json:"component"`
	Fields    map[string]string `json:"fields"`
}

func crashDocumentOf(c *messages.Crash) crashDocument {
	p := &c.Panic
	d := crashDocument{c.FetchedAt.UTC(), panicDocument{p.OccurredAt.UTC(), p.Component, p.PanicValue, p.Recovered, p.GoroutineStack, []breadcrumbDocument{}, p.ProcessMetadata},
		c.SourceEndpoint, c.ArtifactDir, append([]string{}, c.Files...)}
	for _, b := range p.Breadcrumbs {
		d.Panic.Breadcrumbs = append(d.Panic.Breadcrumbs, breadcrumbDocument{b.Time.UTC(), b.Stage, b.Component, b.Fields})
	}
	return d
}
