package evidence_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"fodc/messages"
	"fodc/recorder/disktest"
	"fodc/recorder/evidence"
	"fodc/recorder/evidence/evidencetest"
)

// scenario does everything once, and returns the first error.
func scenario(s *evidence.Store, n int, now time.Time) error {
	id, text := idOf(n), []byte("some bytes")
	want := messages.EvidenceFile{Path: "nodes/data-0/part", What: "nodelog", Bytes: int64(len(text)), SHA256: sum(text)}
	if err := s.Put(incident(n, messages.IncidentOpen)); err != nil {
		return err
	}
	var files []messages.EvidenceFile
	for range 2 { // Also in the place of the first one.
		w, err := s.Create(id, "nodes/data-0/profiles/heap.pb.gz", "profile/heap", 0)
		if err != nil {
			return err
		}
		if _, err := w.Write(text); err != nil {
			w.Abort()
			return err
		}
		f, err := w.Commit()
		if err != nil {
			return err
		}
		files = []messages.EvidenceFile{f}
		if err := s.Put(incident(n, messages.IncidentOpen, f)); err != nil {
			return err
		}
	}
	for size := int64(0); size < want.Bytes; size += 5 {
		p, err := s.OpenPart(id, want.Path)
		if err != nil {
			return err
		}
		if _, err := p.Write(text[size : size+5]); err != nil {
			return errors.Join(err, p.Close())
		}
		if size > 0 {
			err = p.Finish(want)
		}
		if err := errors.Join(err, p.Close()); err != nil {
			return err
		}
	}
	for _, step := range []func() error{
		func() error { return s.Put(incident(n, messages.IncidentFrozen, append(files, want)...)) },
		func() error { _, err := s.Stat(id, want.Path); return err },
		func() error { return s.Verify(id) },
		func() error { return s.Remove(id, want.Path) },
		func() error { return s.MakeRoom(100, now) },
		func() error { return s.Delete(id) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// Each operation of a disk fails once. The caller hears of it, with the operation and the file; nothing is left
// behind, and the store goes on.
func TestEachOperationFails(t *testing.T) {
	for _, op := range evidencetest.Ops {
		t.Run(string(op), func(t *testing.T) {
			for skip := 0; ; skip++ {
				d := evidencetest.New()
				s := open(t, d, evidence.Limits{})
				require.NoError(t, s.Put(incident(1, messages.IncidentFrozen, write(t, s, idOf(1), "nodes/data-0/x", []byte("x")))))
				before := d.Files()
				hit := false
				d.Break(disktest.Fault{Op: op, Skip: skip, Times: 1, Err: syscall.EIO, Written: 3})
				err := scenario(s, 2, begin)
				d.Heal()
				if op != disktest.Space { // Without an answer the disk says itself that it is full.
					hit = errors.Is(err, syscall.EIO)
					if hit {
						var path *fs.PathError
						require.ErrorAs(t, err, &path)
						require.Equal(t, string(op), path.Op)
						require.True(t, path.Path == "." || strings.HasPrefix(path.Path, idOf(2)), path.Path)
					} else {
						require.NoError(t, err)
					}
				} else {
					require.NoError(t, err)
					hit = skip < 20
				}
				require.NoError(t, s.MakeRoom(0, begin))
				require.Zero(t, d.Handles(), "%d", skip)
				for name := range d.Files() {
					require.NotContains(t, name, ".tmp~", "%d", skip)
				}
				require.Equal(t, d.Total(), s.Usage().Bytes)
				require.NoError(t, scenario(s, 3, begin))
				if _, has := s.Get(idOf(2)); has {
					require.NoError(t, s.Verify(idOf(2)))
				}
				if err := scenario(s, 2, begin); err != nil {
					require.ErrorIs(t, err, evidence.ErrMismatch, "what is left of a part is not what comes now")
					require.NoError(t, scenario(s, 2, begin))
				}
				require.Equal(t, before, d.Files())
				if !hit {
					require.Positive(t, skip, "it was never done")
					return
				}
			}
		})
	}
}

// A disk that takes nothing more still gives what it has.
func TestDiskThatTakesNothing(t *testing.T) {
	for _, reason := range []error{syscall.EROFS, syscall.ENOSPC} {
		d := evidencetest.New()
		s := open(t, d, evidence.Limits{})
		require.NoError(t, s.Put(incident(1, messages.IncidentFrozen, write(t, s, idOf(1), "nodes/data-0/x", []byte("x")))))
		for _, op := range []disktest.Op{disktest.Mkdir, disktest.Create, disktest.Append, disktest.Write, disktest.Rename, disktest.Remove} {
			d.Break(disktest.Fault{Op: op, Err: reason})
		}
		require.ErrorIs(t, s.Put(incident(2, messages.IncidentOpen)), reason)
		require.ErrorIs(t, s.Put(incident(1, messages.IncidentFrozen)), reason)
		_, err := s.Create(idOf(1), "nodes/data-0/y", "", 0)
		require.ErrorIs(t, err, reason)
		require.ErrorIs(t, s.Remove(idOf(1), "nodes/data-0/x"), reason)
		require.ErrorIs(t, s.Delete(idOf(1)), reason)
		require.Equal(t, "x", read(t, s, idOf(1), "nodes/data-0/x"))
		require.Len(t, s.List(), 1)
		require.Len(t, s.List()[0].Nodes[0].Files, 1)

		_, r, err := evidence.Open(d, evidence.Limits{}, begin)
		require.NoError(t, err)
		require.Equal(t, 1, r.Incidents)
		d.Heal()
		require.NoError(t, scenario(s, 2, begin))
		require.NoError(t, s.Delete(idOf(1)))
		require.Empty(t, d.Files())
		require.Zero(t, d.Handles())
	}
}

// Somebody removes the directory.
func TestDirectoryVanishes(t *testing.T) {
	d := evidencetest.New()
	s := open(t, d, evidence.Limits{})
	f := write(t, s, idOf(1), "nodes/data-0/x", []byte("x"))
	require.NoError(t, s.Put(incident(1, messages.IncidentOpen, f)))
	d.Vanish(".")
	_, err := s.OpenFile(idOf(1), f.Path)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorIs(t, s.Verify(idOf(1)), fs.ErrNotExist)
	require.ErrorIs(t, s.Put(incident(1, messages.IncidentOpen, f)), fs.ErrNotExist)
	err = s.Put(incident(1, messages.IncidentOpen, f))
	require.ErrorContains(t, err, "which is not stored")
	require.NoError(t, s.Put(incident(1, messages.IncidentOpen)))
	require.NoError(t, s.Put(incident(1, messages.IncidentFrozen, write(t, s, idOf(1), "nodes/data-0/x", []byte("x")))))
	require.NoError(t, scenario(s, 2, begin))
	require.Equal(t, d.Total(), s.Usage().Bytes)

	d.Vanish(idOf(1) + "/nodes")
	_, err = s.Create(idOf(1), "nodes/data-0/y", "", 0)
	require.ErrorIs(t, err, fs.ErrNotExist)
	write(t, s, idOf(1), "nodes/data-0/y", []byte("y"))
	d.Vanish(idOf(1))
	require.NoError(t, s.Delete(idOf(1)))
	require.Zero(t, s.Usage().Bytes)
	require.Empty(t, s.List())
}

// What is damaged is said, and the rest is there.
func TestDamage(t *testing.T) {
	d := evidencetest.New()
	s := open(t, d, evidence.Limits{})
	for n := 1; n <= 6; n++ {
		var files []messages.EvidenceFile
		for _, p := range []string{"nodes/data-0/a", "nodes/data-0/b", "nodes/data-0/c"} {
			files = append(files, write(t, s, idOf(n), p, []byte(p)))
		}
		require.NoError(t, s.Put(incident(n, messages.IncidentFrozen, files...)))
	}
	d.Put(idOf(1)+"/incident.json", []byte("{"))
	d.Put(idOf(2)+"/incident.json", d.Bytes(idOf(3)+"/incident.json"))
	d.Put(idOf(3)+"/incident.json", make([]byte, messages.MaxIncidentBytes+1))
	d.Put(idOf(4)+"/nodes/data-0/a", []byte("short"))
	d.Vanish(idOf(4) + "/nodes/data-0/b")
	d.Put(idOf(5)+"/nodes/data-0/a", []byte("nodes/data-0/X"))
	d.Put("README", []byte("somebody's"))
	d.Put("lost+found/x", []byte("somebody's"))
	d.Put(idOf(7)+"/nodes/data-0/a", []byte("no document"))
	heal := d.Break(disktest.Fault{Op: disktest.Read, Name: idOf(6) + "/incident.json", Err: syscall.EIO})

	s, r, err := evidence.Open(d, evidence.Limits{}, begin)
	require.NoError(t, err)
	require.Equal(t, 2, r.Incidents)
	require.Equal(t, []string{idOf(7)}, r.Removed)
	var text []string
	for _, p := range r.Problems {
		text = append(text, p.Error())
	}
	require.Len(t, r.Problems, 6, "%s", text)
	for i, want := range []string{"not valid JSON", "is of incident", "has 8388609 bytes", "it has 5 bytes, and not 14", "file does not exist", "input/output error"} {
		require.Contains(t, text[i], want)
		require.Contains(t, text[i], idOf([]int{1, 2, 3, 4, 4, 6}[i]))
	}
	got, has := s.Get(idOf(4))
	require.True(t, has)
	require.Len(t, got.Nodes[0].Files, 1)
	require.EqualValues(t, 14, got.Nodes[0].Bytes)
	require.Equal(t, []messages.EvidenceMissing{{What: "config", Reason: "the file nodes/data-0/a is damaged or gone"}, {What: "config", Reason: "the file nodes/data-0/b is damaged or gone"}}, got.Nodes[0].Missing)
	err = s.Verify(idOf(5))
	require.ErrorIs(t, err, evidence.ErrMismatch)
	require.ErrorContains(t, err, "nodes/data-0/a")
	require.Equal(t, 6, s.Usage().Incidents, "what cannot be read counts")
	require.ErrorIs(t, s.Put(incident(1, messages.IncidentOpen)), fs.ErrExist)
	require.NoError(t, s.Delete(idOf(2)))

	// What cannot be read goes when there is no room, but not for an error that may pass.
	heal()
	s, _, err = evidence.Open(d, evidence.Limits{MaxCount: 2}, begin)
	require.NoError(t, err)
	require.Len(t, s.List(), 1)
	require.Equal(t, 2, s.Usage().Incidents)
	require.Equal(t, "somebody's", string(d.Bytes("README")))
	require.Equal(t, "somebody's", string(d.Bytes("lost+found/x")))

	d.Break(disktest.Fault{Op: disktest.List, Name: ".", Err: syscall.EACCES, Times: 1})
	_, _, err = evidence.Open(d, evidence.Limits{}, begin)
	require.ErrorIs(t, err, syscall.EACCES)
}

// A disk that hangs holds up nobody who only asks.
func TestDiskHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := evidencetest.New()
		s := open(t, d, evidence.Limits{})
		require.NoError(t, s.Put(incident(1, messages.IncidentFrozen, write(t, s, idOf(1), "nodes/data-0/x", []byte("x")))))
		released := make(chan struct{})
		d.Break(disktest.Fault{Op: disktest.Sync, Hang: released})
		done := 0
		go func() {
			require.NoError(t, s.Put(incident(1, messages.IncidentFrozen)))
			done++
		}()
		synctest.Wait()
		require.Zero(t, done)
		require.Len(t, s.List(), 1)
		_, has := s.Get(idOf(1))
		require.True(t, has)
		require.Positive(t, s.Usage().Bytes)
		require.Equal(t, "x", read(t, s, idOf(1), "nodes/data-0/x"))
		close(released)
		synctest.Wait()
		require.Equal(t, 1, done)
	})
}

// Many use the store at once, while there is no room for all.
func TestManyAtOnce(t *testing.T) {
	d := evidencetest.New()
	const maxBytes = 64 << 10
	s := open(t, d, evidence.Limits{MaxCount: 12, MaxBytes: maxBytes})
	d.Watch(func(op disktest.Op, name string) {
		if total := d.Total(); total > maxBytes {
			t.Errorf("%d bytes after %s %s", total, op, name)
		}
		if dirs := d.Dirs(); dirs > 12 {
			t.Errorf("%d incidents after %s %s", dirs, op, name)
		}
	})
	acceptable := func(what string, err error) {
		if err != nil && !errors.Is(err, evidence.ErrFull) && !errors.Is(err, evidence.ErrBusy) && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, evidence.ErrMismatch) {
			t.Errorf("%s: %v", what, err)
		}
	}
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			for n := range 60 {
				// Two goroutines share an incident.
				id := 1 + n*4 + g/2
				i := incident(id, messages.IncidentOpen)
				acceptable("put", s.Put(i))
				text := make([]byte, 100*(n%20))
				w, err := s.CreateWhole(i.ID, fmt.Sprintf("nodes/data-0/%d", n%3), "", 0)
				if err == nil {
					_, err = w.Write(text)
					acceptable("write", err)
					f, err := w.Commit()
					acceptable("commit", err)
					if err == nil {
						i.Nodes[0].Files = append(i.Nodes[0].Files, f)
					}
				}
				acceptable("create", err)
				p, err := s.OpenPart(i.ID, "nodes/data-0/part")
				acceptable("part", err)
				if err == nil {
					_, err = p.Write(text)
					acceptable("write", err)
					acceptable("finish", p.Finish(messages.EvidenceFile{Bytes: p.Size(), SHA256: sum(text)}))
					_ = p.Close()
				}
				i.State = messages.IncidentFrozen
				acceptable("put", s.Put(i))
				for i := range s.All() {
					for _, f := range i.Nodes[0].Files {
						if open, err := s.OpenFile(i.ID, f.Path); err == nil {
							_ = open.Close()
						}
					}
				}
				switch n % 10 {
				case 3:
					acceptable("remove", s.Remove(i.ID, "nodes/data-0/1"))
				case 5:
					if err := s.Delete(i.ID); !errors.Is(err, messages.ErrIncidentOpen) {
						acceptable("delete", err)
					}
				case 7:
					acceptable("room", s.MakeRoom(1000, begin))
				}
				_ = s.Usage()
			}
		})
	}
	group.Wait()
	require.Zero(t, d.Handles())
	d.Watch(nil)
	_ = s.MakeRoom(0, begin)
	require.Equal(t, d.Total(), s.Usage().Bytes)
	require.Equal(t, d.Dirs(), s.Usage().Incidents)
	require.NotEmpty(t, s.List())
	for i := range s.All() {
		require.NoError(t, s.Verify(i.ID))
	}
	_, r, err := evidence.Open(d, evidence.Limits{}, begin)
	require.NoError(t, err)
	require.Empty(t, r.Problems)
	require.Equal(t, len(s.List()), r.Incidents)
	for i := range s.All() {
		if i.State == messages.IncidentOpen {
			c := i.Clone()
			c.State = messages.IncidentFrozen
			require.NoError(t, s.Put(&c))
		}
		require.NoError(t, s.Delete(i.ID))
	}
}

// An incident that cannot be removed is not the end: another one goes.
func TestEvictionGoesOn(t *testing.T) {
	d := evidencetest.New()
	s := open(t, d, evidence.Limits{MaxCount: 3})
	for n := 1; n <= 3; n++ {
		i := incident(n, messages.IncidentFrozen)
		i.Rules = nil
		require.NoError(t, s.Put(i))
	}
	heal := d.Break(disktest.Fault{Op: disktest.Remove, Name: idOf(1), Err: syscall.EIO})
	require.NoError(t, s.Put(incident(4, messages.IncidentOpen)))
	require.Equal(t, []string{idOf(2)}, s.Evicted())
	require.NoError(t, s.Put(incident(5, messages.IncidentOpen)))
	require.Equal(t, []string{idOf(3)}, s.Evicted())
	err := s.Put(incident(6, messages.IncidentOpen))
	require.ErrorIs(t, err, evidence.ErrFull)
	require.ErrorIs(t, err, syscall.EIO, "it says why there is none that may go")
	heal()
	require.NoError(t, s.Put(incident(6, messages.IncidentOpen)))
	require.Equal(t, []string{idOf(1)}, s.Evicted())
}
