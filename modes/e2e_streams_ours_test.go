//go:build e2e && linux

package modes_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"fodc/actors/actorstest"
	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// shortOfMemory is the page of a node that is: what its process takes is over the limit.
const shortOfMemory = pageA + "banyandb_memory_protector_cgroup_limit_bytes 1e6\n"

// pressureArgs are the flags with which an agent captures the node's profiles into a directory.
func (d *database) pressureArgs(dir string, more ...string) []string {
	return append([]string{"--pressure-profiler-pprof-port", portOf(d.profiles), "--pressure-profiler-dir", dir}, more...)
}

// profiled waits until the proxy lists a profile of the node with so many files, and returns it.
func (d *database) profiled(proxy *process, files int) (p profileAnswer) {
	d.t.Helper()
	eventually(d.t, "a profile of "+d.name, func() error {
		var list []profileAnswer
		_, err := askProxy(proxy.addr("http"), "/pressure-profiles?pod_name=pod-"+d.name, &list)
		if err == nil && (len(list) == 0 || len(list[0].Profiles) != files) {
			err = fmt.Errorf("%v", list)
		}
		if err == nil {
			p = list[0]
		}
		return err
	})
	return p
}

// TestE2EStreamsOfOurs: agents that ask their nodes, find crashes and capture profiles, at a proxy. A frozen one costs the others nothing on
// any stream, and is whole again afterwards, in the same session.
func TestE2EStreamsOfOurs(t *testing.T) {
	t.Parallel()
	proxy := startProxy(t, "--collect-timeout", streamsTimeout.String(), "--heartbeat-interval", "1s")
	addr := proxy.addr("http")
	var agents []*process
	var nodes []*database
	for i := range 3 {
		d := startDatabase(t, fmt.Sprint("data-", i))
		d.show(shortOfMemory)
		writeCrash(t, d.crashes, crashDirName+"1", crashJSON("of "+d.name))
		nodes = append(nodes, d)
		agents = append(agents, d.startAgent(proxy.addr("grpc"), append(d.pressureArgs(t.TempDir()), "--crash-source-dir", d.crashes)...))
	}
	for _, d := range nodes {
		p := d.profiled(proxy, 2)
		for _, f := range p.Profiles {
			body := page(t, addr, "/pressure-profiles/pod-"+d.name+"/"+p.ProfileID+"/"+f.Type)
			require.True(t, bytes.Equal(profileOf(d.name, f.Type, 1000), []byte(body)), "%s of %s", f.Type, d.name)
		}
	}
	sources := map[messages.Stream]func(d *database) []string{
		messages.StreamTopology: func(*database) []string { return []string{"calls other"} },
		messages.StreamLifecycle: func(d *database) []string {
			return []string{d.name + ".json", "shared 4294967296", "sw_" + d.name + " 4294967296"}
		},
		messages.StreamCrashes: func(d *database) []string { return []string{"of " + d.name} },
		messages.StreamProfiles: func(d *database) []string {
			return []string{fmt.Sprint("heap ", len(profileOf(d.name, "heap", 1000))), fmt.Sprint("goroutine ", len(profileOf(d.name, "goroutine", 1000)))}
		},
	}
	// check compares what is there of the nodes; frozen is that which is missing, if any.
	check := func(frozen string) error {
		var mu sync.Mutex
		var wrong []string
		eachAtOnce(func(s messages.Stream) {
			seen, a, err := seenOf(addr, s)
			mu.Lock()
			defer mu.Unlock()
			if err != nil || a.status != http.StatusOK || a.took > streamsTimeout+slack {
				wrong = append(wrong, fmt.Sprintf("%s: %v, status %d after %s", s, err, a.status, a.took))
			}
			if missing := fmt.Sprint(a.missing); (frozen == "") != (len(a.missing) == 0) || len(a.missing) > 1 || !strings.Contains(missing, frozen) {
				wrong = append(wrong, fmt.Sprintf("%s: missing are %v", s, a.missing))
			}
			for _, d := range nodes {
				var got []string
				for _, pod := range []string{d.name, "pod-" + d.name} {
					got = append(got, seen[pod]...)
				}
				slices.Sort(got)
				want := slices.Sorted(slices.Values(sources[s](d)))
				if s == messages.StreamCrashes && len(got) == 1 {
					_, got[0], _ = strings.Cut(got[0], ": ")
				}
				if d.name == frozen && s != messages.StreamCrashes {
					want = nil // A record that is known stays known.
				}
				if !slices.Equal(want, got) {
					wrong = append(wrong, fmt.Sprintf("%s: %s says %q, want %q", s, d.name, got, want))
				}
			}
		})
		if len(wrong) > 0 {
			return fmt.Errorf("%s", strings.Join(wrong, "; "))
		}
		return nil
	}
	eventually(t, "all of all", func() error { return check("") })
	agents[1].kill(syscall.SIGSTOP)
	for range 2 {
		require.NoError(t, check("data-1"))
	}
	a := mustAsk(t, addr, "/metrics", nil)
	require.Len(t, a.missing, 1)
	require.Contains(t, a.body, `requests_total{path="/a",node_id="data-2"`)
	agents[1].kill(syscall.SIGCONT)
	eventually(t, "all of all again", func() error { return check("") })
	requireUndisturbed(t, proxy, 3)
	require.NotContains(t, page(t, addr, "/metrics/self"), "CONSISTENCY_STATUS_INCONSISTENT", "there is no evidence")
}

// TestE2EProfilesAreHeldToTheirLimit: the captures of a node that is short of memory all the time never have more than their limit on disk,
// and the first one stays.
func TestE2EProfilesAreHeldToTheirLimit(t *testing.T) {
	t.Parallel()
	const limit = 4 << 20
	proxy, d, dir := startProxy(t), startDatabase(t, "data-0"), t.TempDir()
	d.SetProfile("heap", actorstest.FakeProfile{Body: profileOf("x", "heap", 1<<20)})
	d.show(shortOfMemory)
	agent := d.startAgent(proxy.addr("grpc"), d.pressureArgs(dir, "--pressure-profiler-cooldown", "10ms", "--pressure-profiler-max-disk-bytes", fmt.Sprint(limit),
		"--poll-metrics-interval", "100ms")...)
	first, most := d.profiled(proxy, 2), int64(0)
	within(t, 2*patience, "many captures", func() error {
		size := int64(0)
		_ = filepath.Walk(dir, func(_ string, info os.FileInfo, err error) error {
			if err == nil && info.Mode().IsRegular() {
				size += info.Size()
			}
			return nil
		})
		if most = max(most, size); size > limit {
			t.Fatalf("%d bytes on disk, %d are allowed", size, limit)
		}
		if n := reading(t, agent, "fodc_agent_pressure_evicted_artifacts_total"); n < 3 {
			return fmt.Errorf("%v were evicted", n)
		}
		return nil
	})
	t.Logf("at most %d bytes were on disk, %d are allowed", most, limit)
	var list []profileAnswer
	mustAsk(t, proxy.addr("http"), "/pressure-profiles", &list)
	require.True(t, slices.ContainsFunc(list, func(p profileAnswer) bool { return p.ProfileID == first.ProfileID }), "the first one is gone")
	require.Greater(t, len(list), 1)
}

// TestE2EDownloadOfOurLargeProfile: a download through the proxy costs neither it nor the agent memory; one whose agent is killed is not taken for
// whole.
func TestE2EDownloadOfOurLargeProfile(t *testing.T) {
	t.Parallel()
	proxy, d := startProxy(t), startDatabase(t, "data-0")
	d.SetProfile("heap", actorstest.FakeProfile{Body: profilePart, Size: int64(largeProfileBytes)})
	d.show(shortOfMemory)
	agent := d.startAgent(proxy.addr("grpc"), d.pressureArgs(t.TempDir())...)
	p := d.profiled(proxy, 2)
	path := "/pressure-profiles/pod-data-0/" + p.ProfileID + "/heap"
	before := anonymous(agent)
	most := mostOf(agent, func() { requireSmallDownload(t, proxy, path) })
	t.Logf("the agent had %.1f MiB, %.1f MiB at most", float64(before)/(1<<20), float64(most)/(1<<20))
	require.Less(t, most-before, int64(downloadMemory))

	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+proxy.addr("http")+path, nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	_, err = io.CopyN(io.Discard, resp.Body, 4<<20)
	require.NoError(t, err)
	agent.kill(syscall.SIGKILL)
	n, err := io.Copy(io.Discard, resp.Body)
	require.Error(t, err, "a part of %d bytes is taken for the whole", n)
	status, _, _, err := get(proxy.addr("http"), path)
	require.NoError(t, err)
	require.Equal(t, http.StatusServiceUnavailable, status)
}

// TestE2EProfilesOutsideOfTheirDirectory: a proxy of the field gets the files that the agent has captured, and no others, whatever path it asks for.
func TestE2EProfilesOutsideOfTheirDirectory(t *testing.T) {
	t.Parallel()
	proxy, d, dir := startFieldProxy(t), startDatabase(t, "data-0"), t.TempDir()
	d.show(shortOfMemory)
	d.startAgent(proxy.addr, d.pressureArgs(dir)...)
	s := proxy.session(t, 0)
	var record fields
	eventually(t, "a profile", func() error {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		list, err := s.Collect(ctx, messages.StreamProfiles, actorstest.PlainQuestion(messages.StreamProfiles), actorstest.Until("listComplete"))
		if err != nil || len(list) != 2 {
			return fmt.Errorf("%v, %v", list, err)
		}
		record = list[0]["record"].(fields)
		return nil
	})
	id := record["profileId"].(string)
	heap := listOfFields(record["profiles"])[0]["filepath"].(string)
	n := 0
	fetch := func(id, kind, path string) (data []byte, failure string) {
		n++
		answer := collect(t, s, messages.StreamProfiles, fields{"fetchProfile": fields{"requestId": fmt.Sprint(n), "profileId": id, "type": kind, "filepath": path}},
			actorstest.Until("chunk.last", "chunk.error"))
		for _, chunk := range answer {
			require.Equal(t, fmt.Sprint(n), actorstest.Field(chunk, "chunk.requestId"))
			if text, ok := actorstest.Field(chunk, "chunk.data").(string); ok {
				data = append(data, text...)
			}
			if text, ok := actorstest.Field(chunk, "chunk.error").(string); ok {
				failure = text
			}
		}
		return data, failure
	}
	data, failure := fetch(id, "heap", heap)
	require.Empty(t, failure)
	require.NotEmpty(t, data)

	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte("a secret"), 0o644))
	link := filepath.Join(filepath.Dir(heap), "link.pprof")
	require.NoError(t, os.Symlink(secret, link))
	require.NoError(t, os.Symlink(filepath.Dir(secret), filepath.Join(dir, "20200101T000000.000000000Z")))
	for _, path := range []string{secret, "/etc/passwd", filepath.Dir(heap) + "/../../../../../../../etc/passwd", "../../etc/passwd", link, dir, filepath.Dir(heap),
		filepath.Join(dir, "20200101T000000.000000000Z", "secret"), filepath.Join(filepath.Dir(heap), "meta.json"), heap + "\x00", "", strings.Repeat("a/", 5000)} {
		for _, id := range []string{id, "20200101T000000.000000000Z", "..", "../..", ""} {
			if path == "" && id == record["profileId"] {
				continue
			}
			data, failure := fetch(id, "heap", path)
			require.Empty(t, data, "%q of %q", path, id)
			require.NotEmpty(t, failure, "%q of %q", path, id)
		}
	}
	// A file of the agent's own that became a link.
	require.NoError(t, os.Remove(heap))
	require.NoError(t, os.Symlink(secret, heap))
	data, failure = fetch(id, "heap", heap)
	require.Empty(t, data)
	require.NotEmpty(t, failure)
	require.NoError(t, s.Ended())
	require.NotEmpty(t, askField(t, s, messages.StreamMetrics)[0]["metrics"])
}
