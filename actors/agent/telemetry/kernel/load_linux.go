//go:build amd64 || arm64

package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/features"
	"github.com/cilium/ebpf/link"
)

// kernelTypes is the kernel's description of its types.
const kernelTypes = "/sys/kernel/btf/vmlinux"

// loaded are the programs in the kernel, with their maps. All of it is gone when the process ends.
type loaded struct {
	maps     map[string]*ebpf.Map
	programs map[string]*ebpf.Program
	links    []link.Link
	// variables are those that the agent sets.
	variables map[string]*ebpf.Variable
	// iterator runs mark_threads.
	iterator *link.Iter
}

// load loads and attaches all programs that the kernel takes.
func load() (*loaded, Status) {
	if _, err := os.Stat(kernelTypes); err != nil {
		return nil, Status{Err: errNoTypes}
	}
	cache := btf.NewCache()
	types, err := cache.Kernel()
	if err != nil {
		return nil, Status{Err: fmt.Errorf("%w: %w", errNoTypes, err)}
	}
	spec, err := loadPrograms()
	if err == nil {
		err = adapt(spec, types)
	}
	if err != nil {
		return nil, Status{Err: err}
	}
	l := &loaded{}
	status, err := l.load(spec, cache)
	if err != nil {
		l.close()
		return nil, Status{Err: reasonOf(err, true)}
	}
	l.attach(&status)
	if status.Running() == 0 { // All for the same reason, most probably.
		l.close()
		return nil, Status{Err: status.Programs[0].Err}
	}
	return l, status
}

// adapt chooses the forms of programs that fit the kernel.
func adapt(spec *ebpf.CollectionSpec, types *btf.Spec) error {
	byID := false
	if params := tracepoint(types, "mark_victim"); len(params) > 1 {
		_, pointer := btf.UnderlyingType(params[1].Type).(*btf.Pointer)
		byID = !pointer
	}
	if byID {
		spec.Programs[memoryKill] = spec.Programs[memoryKillByID]
	}
	delete(spec.Programs, memoryKillByID)
	raw, err := os.Open(kernelTypes)
	if err != nil {
		return err
	}
	defer raw.Close()
	flags, err := requestFlagsOf(types, raw)
	if err != nil {
		return err
	}
	return errors.Join(spec.Variables["has_prev_state"].Set(len(tracepoint(types, "sched_switch")) > 4),
		spec.Variables["has_retransmit_error"].Set(len(tracepoint(types, "tcp_retransmit_skb")) > 3),
		spec.Variables["flag_flush_sequence"].Set(flags.flushSequence), spec.Variables["flag_statistics"].Set(flags.statistics))
}

// tracepoint returns the parameters of a tracepoint; the first one is the kernel's own. nil: it is not known.
func tracepoint(types *btf.Spec, name string) []btf.FuncParam {
	var of *btf.Typedef
	if types.TypeByName("btf_trace_"+name, &of) != nil {
		return nil
	}
	pointer, ok := btf.UnderlyingType(of).(*btf.Pointer)
	if !ok {
		return nil
	}
	proto, ok := pointer.Target.(*btf.FuncProto)
	if !ok {
		return nil
	}
	return proto.Params
}

// load gives the kernel the maps and all programs at once, which is quick; if it does not take them, one by one.
func (l *loaded) load(spec *ebpf.CollectionSpec, cache *btf.Cache) (Status, error) {
	options := ebpf.CollectionOptions{Cache: cache, Programs: ebpf.ProgramOptions{LogDisabled: true}}
	all, err := ebpf.NewCollectionWithOptions(spec.Copy(), options)
	if err == nil {
		l.maps, l.programs, l.variables = all.Maps, all.Programs, all.Variables
		return statusOf(nil), nil
	}
	if l.maps, l.variables, err = loadMaps(spec, options); err != nil {
		return Status{}, err
	}
	options.MapReplacements = l.maps
	options.Programs.LogDisabled = false
	l.programs = map[string]*ebpf.Program{}
	failures := map[string]error{}
	for _, p := range allPrograms {
		one := spec.Copy()
		maps.DeleteFunc(one.Programs, func(name string, _ *ebpf.ProgramSpec) bool { return name != p.name })
		c, err := ebpf.NewCollectionWithOptions(one, options)
		if err != nil {
			failures[p.name] = reasonOf(err, false)
			continue
		}
		l.programs[p.name] = c.DetachProgram(p.name)
		c.Close()
	}
	return statusOf(failures), nil
}

// loadMaps makes the maps alone.
func loadMaps(spec *ebpf.CollectionSpec, options ebpf.CollectionOptions) (map[string]*ebpf.Map, map[string]*ebpf.Variable, error) {
	only := spec.Copy()
	clear(only.Programs)
	c, err := ebpf.NewCollectionWithOptions(only, options)
	if err != nil {
		return nil, nil, err
	}
	return c.Maps, c.Variables, nil
}

func statusOf(failures map[string]error) (s Status) {
	for _, p := range allPrograms {
		s.Programs = append(s.Programs, ProgramStatus{Name: p.name, Err: failures[p.name], Optional: p.optional()})
	}
	return s
}

// attach attaches the programs that are loaded.
func (l *loaded) attach(status *Status) {
	for i, p := range allPrograms {
		of := &status.Programs[i]
		if of.Err != nil {
			continue
		}
		to, err := attach(p, l.programs[p.name])
		if iterator, ok := to.(*link.Iter); ok {
			l.iterator = iterator
		}
		if err != nil {
			of.Err = reasonOf(err, false)
			continue
		}
		l.links = append(l.links, to)
	}
}

func attach(p program, loaded *ebpf.Program) (link.Link, error) {
	if p.name == markThreads {
		return link.AttachIter(link.IterOptions{Program: loaded})
	}
	if p.group == "" {
		return link.AttachTracing(link.TracingOptions{Program: loaded})
	}
	to, err := link.Tracepoint(p.group, p.event, loaded, nil)
	if err != nil && !hasTracefs() {
		return nil, errNoTracefs
	}
	return to, err
}

// hasTracefs reports whether the agent may look into tracefs.
func hasTracefs() bool {
	for _, dir := range []string{"/sys/kernel/tracing", "/sys/kernel/debug/tracing"} {
		if _, err := os.Stat(dir + "/events/syscalls"); err == nil {
			return true
		}
	}
	return false
}

// maxReason bounds the reason why a program does not run, in bytes.
const maxReason = 200

// reasonOf says why the kernel does not take a program, or the maps.
func reasonOf(err error, ofMaps bool) error {
	switch {
	case errors.Is(err, fs.ErrPermission) || ofMaps && noMaps():
		return errNoPrivileges
	case ofMaps && errors.Is(features.HaveMapType(ebpf.TaskStorage), ebpf.ErrNotSupported):
		return errTooOld
	}
	text, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(strings.ToValidUTF8(text[:min(len(text), maxReason)], ""))
}

// noMaps reports whether the kernel lets the agent make no map at all. For some maps the reason is told as one of the kernel's version.
func noMaps() bool {
	m, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.Array, KeySize: 4, ValueSize: 4, MaxEntries: 1})
	if err != nil {
		return errors.Is(err, fs.ErrPermission)
	}
	_ = m.Close()
	return false
}

// close detaches and frees all.
func (l *loaded) close() {
	for _, to := range l.links {
		_ = to.Close()
	}
	for _, p := range l.programs {
		_ = p.Close()
	}
	for _, m := range l.maps {
		_ = m.Close()
	}
}
