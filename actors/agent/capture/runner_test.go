package capture

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// evidence keeps what steps write.
type evidence struct {
	mu      sync.Mutex
	files   map[string]string
	aborted []string
	results map[string]Result
	begun   []string
	// broken has what an output of a path does in the place of writing.
	broken map[string]func() error
	// writes counts those to each output.
	writes map[string]int
}

func newEvidence() *evidence {
	return &evidence{files: map[string]string{}, results: map[string]Result{}, broken: map[string]func() error{}, writes: map[string]int{}}
}

type memoryOutput struct {
	bytes.Buffer
	of   *evidence
	step Step
}

func (m *memoryOutput) Write(p []byte) (int, error) {
	if f := m.of.broken[m.step.Path]; f != nil {
		if err := f(); err != nil {
			return 0, err
		}
	}
	m.of.mu.Lock()
	m.of.writes[m.step.Path]++
	m.of.mu.Unlock()
	return m.Buffer.Write(p)
}

func (m *memoryOutput) Commit() (messages.EvidenceFile, error) {
	m.of.mu.Lock()
	defer m.of.mu.Unlock()
	m.of.files[m.step.Path] = m.String()
	return messages.EvidenceFile{Path: m.step.Path, What: m.step.What, Bytes: int64(m.Len())}, nil
}

func (m *memoryOutput) Abort() {
	m.of.mu.Lock()
	defer m.of.mu.Unlock()
	m.of.aborted = append(m.of.aborted, m.step.Path)
}

func (e *evidence) runner() *Runner {
	return &Runner{
		Open: func(s Step) (Output, error) { return &memoryOutput{of: e, step: s}, nil },
		Begin: func(s Step) {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.begun = append(e.begun, s.Path)
		},
		Done: func(r Result) {
			e.mu.Lock()
			defer e.mu.Unlock()
			if _, has := e.results[r.Step.Path]; has {
				panic("two results of " + r.Step.Path)
			}
			e.results[r.Step.Path] = r
		},
	}
}

// reason returns what is said of a file that is missing or not whole, without its path, or that of all profiles.
func (e *evidence) reason(path string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.results[path]
	m, is := r.Missing()
	if !is {
		return ""
	}
	text, ok := strings.CutPrefix(m.Reason, path+" could not be captured: ")
	if r.File != nil {
		text, ok = strings.CutPrefix(m.Reason, path+" is not whole: ")
	}
	if !ok {
		text, ok = strings.CutPrefix(m.Reason, "profiles could not be captured: ")
	}
	if !ok {
		return "a reason without the path: " + m.Reason
	}
	return text
}

func stepOf(path string, run func(ctx context.Context, w io.Writer) error) Step {
	return Step{What: messages.EvidenceProcess, Path: path, Limit: 100, Timeout: 10 * time.Second, Run: run}
}

func writes(text string, after time.Duration, err error) func(context.Context, io.Writer) error {
	return func(ctx context.Context, w io.Writer) error {
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
		select {
		case <-time.After(after):
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func parts(s Step) Step { s.Parts = true; return s }
func heavy(s Step) Step { s.Heavy = true; return s }

func TestOneFailureEndsNoOtherStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		e := newEvidence()
		e.broken["full"] = func() error { return errors.New("disk full") }
		hangs := func(_ context.Context, w io.Writer) error {
			_, _ = io.WriteString(w, "begin")
			<-hang
			_, err := io.WriteString(w, "late")
			return err
		}
		begin := time.Now()
		e.runner().Run(t.Context(), []Step{
			stepOf("good", writes("text", 0, nil)),
			stepOf("failed", writes("text", 0, errors.New("no such process"))),
			parts(stepOf("failed-parts", writes("text", 0, errors.New("no such process")))),
			stepOf("slow", writes("text", time.Hour, nil)),
			parts(stepOf("slow-parts", writes("text", time.Hour, nil))),
			stepOf("hangs", hangs),
			parts(stepOf("hangs-parts", hangs)),
			stepOf("large", writes(strings.Repeat("x", 101), 0, nil)),
			parts(stepOf("large-parts", writes(strings.Repeat("x", 101), 0, nil))),
			stepOf("full", writes("text", 0, nil)),
			stepOf("panics", func(context.Context, io.Writer) error { panic("secret") }),
			stepOf("nothing", writes("", 0, nil)),
		})
		require.LessOrEqual(t, time.Since(begin), 40*time.Second)
		close(hang)
		synctest.Wait()
		require.Equal(t, map[string]string{"good": "text", "failed-parts": "text", "slow-parts": "text", "hangs-parts": "begin",
			"large-parts": strings.Repeat("x", 100), "nothing": ""}, e.files)
		require.Len(t, e.results, 12)
		require.ElementsMatch(t, []string{"failed", "slow", "hangs", "large", "full", "panics"}, e.aborted)
		f := func(path, reason string, truncated bool) {
			t.Helper()
			require.Equal(t, reason, e.reason(path), path)
			if file := e.results[path].File; file != nil {
				require.Equal(t, truncated, file.Truncated, path)
			}
		}
		f("good", "", false)
		f("failed", "no such process", false)
		f("failed-parts", "no such process", true)
		f("slow", "it was not complete within 10s", false)
		f("slow-parts", "it was not complete within 10s", true)
		f("hangs", "it hangs: it did not end with its time of 10s", false)
		f("hangs-parts", "it hangs: it did not end with its time of 10s", true)
		f("large", "it has more than 100 bytes, which is its limit", false)
		f("large-parts", "", true)
		f("full", "it cannot be kept: disk full", false)
		f("panics", "unexpected string", false)
	})
}

// A disk under load has little to do: what a step writes in small pieces is written at one go, but for what is followed.
func TestSmallWritesAreHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEvidence()
		lines := func(n int) func(context.Context, io.Writer) error {
			return func(_ context.Context, w io.Writer) error {
				for range n {
					if k, err := io.WriteString(w, strings.Repeat("x", 99)+"\n"); err != nil || k != 100 {
						return errors.Join(err, errors.New("short"))
					}
				}
				return nil
			}
		}
		frozen := make(chan struct{})
		close(frozen)
		large := func(s Step) Step { s.Limit = 1 << 20; return s }
		followed := large(stepOf("followed", lines(10)))
		followed.Until = frozen
		e.runner().Run(t.Context(), []Step{large(stepOf("small", lines(100))), large(stepOf("large", lines(2000))), followed, parts(stepOf("cut", lines(2)))})
		require.Equal(t, map[string]int{"small": 1, "large": 2000*100/heldBytes + 1, "followed": 10, "cut": 1}, e.writes)
		for path, n := range map[string]int{"small": 10_000, "large": 200_000, "followed": 1000, "cut": 100} {
			require.Len(t, e.files[path], n, path)
		}
	})
}

// A disk that does not answer ends no other step, and its late answer changes nothing.
func TestDiskHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		e := newEvidence()
		e.broken["write"] = func() error { <-hang; return nil }
		r := e.runner()
		open := r.Open
		r.Open = func(s Step) (Output, error) {
			if s.Path == "open" {
				<-hang
			}
			return open(s)
		}
		r.Run(t.Context(), []Step{stepOf("open", writes("text", 0, nil)), parts(stepOf("write", writes("text", 0, nil))), stepOf("good", writes("text", 0, nil))})
		require.Equal(t, "it hangs: it did not end with its time of 10s", e.reason("open"))
		require.Equal(t, "it hangs: it did not end with its time of 10s; and the disk does not answer", e.reason("write"))
		require.Equal(t, map[string]string{"good": "text"}, e.files)
		close(hang)
		synctest.Wait()
		require.Equal(t, map[string]string{"good": "text"}, e.files)
		require.ElementsMatch(t, []string{"open", "write"}, e.aborted)
	})
}

func TestHeavyStepsRunOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running, most int
		var mu sync.Mutex
		counted := func(ctx context.Context, w io.Writer) error {
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			err := writes("text", time.Second, nil)(ctx, w)
			mu.Lock()
			running--
			mu.Unlock()
			return err
		}
		turn := NewTurn()
		var all sync.WaitGroup
		begin := time.Now()
		for range 2 { // two incidents, or an incident and a ramp
			e := newEvidence()
			r := e.runner()
			r.Turn = turn
			all.Go(func() {
				r.Run(t.Context(), []Step{heavy(stepOf("a", counted)), heavy(stepOf("b", counted)), heavy(stepOf("c", counted))})
				require.Len(t, e.files, 3)
			})
		}
		all.Wait()
		require.Equal(t, 1, most)
		require.Equal(t, 6*time.Second, time.Since(begin))
	})
}

func TestAllOfTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEvidence()
		r := e.runner()
		r.Total, r.Turn = 15*time.Second, NewTurn()
		slow := writes("text", 8*time.Second, nil)
		r.Run(t.Context(), []Step{heavy(stepOf("a", slow)), heavy(stepOf("b", slow)), heavy(stepOf("c", slow))})
		require.Equal(t, []string{"a", "b"}, e.begun)
		require.Len(t, e.files, 2)
		require.Equal(t, "it was not begun: what came before took longer than 15s", e.reason("c"))

		// Somebody else has the turn.
		e, begin := newEvidence(), time.Now()
		r.Begin, r.Done, r.Open = e.runner().Begin, e.runner().Done, e.runner().Open
		require.NoError(t, r.Turn.Take(t.Context()))
		r.Run(t.Context(), []Step{heavy(stepOf("a", slow)), stepOf("b", slow)})
		require.Equal(t, 15*time.Second, time.Since(begin))
		require.Equal(t, "it was not begun: another capture of the node had not ended", e.reason("a"))
		require.Len(t, e.files, 1)
	})
}

// A stop of the agent ends all, and keeps what there is.
func TestStoppedCaptures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		e := newEvidence()
		follows := parts(stepOf("follows", writes("text", time.Hour, nil)))
		follows.Until = make(chan struct{})
		r := e.runner()
		r.Parallel = 1
		go func() {
			time.Sleep(time.Second)
			cancel(errors.New("the agent stops"))
		}()
		begin := time.Now()
		r.Run(ctx, []Step{follows, parts(stepOf("a", writes("text", time.Minute, nil))), stepOf("b", writes("text", 0, nil))})
		require.Equal(t, time.Second, time.Since(begin))
		require.Equal(t, map[string]string{"follows": "text", "a": "text"}, e.files)
		require.Equal(t, "it was not begun: the agent stops", e.reason("b"))
	})
}

func TestMoreSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEvidence()
		e.runner().Run(t.Context(), []Step{{Path: "found", Timeout: time.Second, More: func(context.Context) ([]Step, error) {
			return []Step{stepOf("a", writes("1", 0, nil)), stepOf("b", writes("2", 0, nil))}, errors.New("c is a link")
		}}, {Path: "none", Timeout: time.Second, More: func(context.Context) ([]Step, error) { return nil, nil }}})
		require.Equal(t, map[string]string{"a": "1", "b": "2"}, e.files)
		require.Equal(t, "c is a link", e.reason("found"))
		require.NotContains(t, e.results, "none")
	})
}

// What a file is can be told by its path, for all steps.
func TestWhatOfFiles(t *testing.T) {
	c := Config{Profiles: AllProfiles, Process: func(time.Time) (int, string, error) { return 1, "", nil }, KernelLog: true, NodeLogs: []string{"/var/log/node.log"},
		NodeConfig: func(context.Context) (*messages.NodeConfig, error) { return nil, nil }, Actors: func() messages.ActorTree { return messages.ActorTree{} },
		Crashes: func(context.Context) ([]*messages.Crash, error) { return nil, nil }, CrashDirs: []string{"/crashes"}, Frozen: make(chan struct{})}
	steps := append(Plan(c), PlanFreeze(c)...)
	steps = append(steps, c.rampStep(RampProfile{Type: "heap"}))
	require.Greater(t, len(steps), 12)
	for _, s := range steps {
		require.Equal(t, s.What, What(s.Path), s.Path)
	}
	require.Empty(t, What("window.journal"))
}
