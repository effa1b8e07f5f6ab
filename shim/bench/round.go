package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	task "github.com/containerd/containerd/api/runtime/task/v2"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/types/known/anypb"
)

// values are the results of one round, by the name of the measurement.
type values map[string]float64

// clock measures wall time, and the CPU time of a shim and of what it has reaped.
type clock struct {
	pid   int
	began time.Time
	cpu   float64
}

func newClock(pid int) clock { return clock{pid: pid, began: time.Now(), cpu: cpuOf(pid)} }

// stop adds the times since newClock, divided by the number of operations.
func (c clock) stop(v values, name string, count int) {
	v[name+", wall"] += ms(time.Since(c.began)) / float64(count)
	v[name+", CPU"] += (cpuOf(c.pid) - c.cpu) / float64(count)
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// round takes all measurements once.
func (h *host) round(ctx context.Context, c candidate) (values, error) {
	v := values{}
	return v, errors.Join(h.alone(ctx, c, v), h.pod(ctx, c, v), h.pods(ctx, c, v))
}

// alone measures the whole life of a shim with one container.
func (h *host) alone(ctx context.Context, c candidate, v values) error {
	before := cpuOf(0)
	b, err := h.bundle(c, "")
	if err != nil {
		return err
	}
	began := time.Now()
	s, err := h.start(ctx, c, b)
	if err != nil {
		return err
	}
	if err := s.run(ctx, b); err != nil {
		return err
	}
	v["shim and container to running, wall"] = ms(time.Since(began))
	if v["shim with 1 container, PSS"], err = pss(s.pid); err != nil {
		return err
	}
	if err := s.end(ctx, b); err != nil {
		return err
	}
	if err := s.shutdown(ctx, b); err != nil {
		return err
	}
	v["shim and container, all, wall"] = ms(time.Since(began))
	v["shim and container, all, CPU"] = cpuOf(0) - before
	return b.remove()
}

// inPod is the number of containers of a pod.
const inPod = 10

// pod measures the operations on containers of a shim that runs.
func (h *host) pod(ctx context.Context, c candidate, v values) error {
	var all []*bundle
	var s *service
	for range inPod {
		group := ""
		if len(all) > 0 {
			group = all[0].id
		}
		b, err := h.bundle(c, group)
		if err != nil {
			return err
		}
		all = append(all, b)
		if s == nil {
			if s, err = h.start(ctx, c, b); err != nil {
				return err
			}
		}
		if err := s.run(ctx, b); err != nil {
			return err
		}
	}
	var err error
	if v["shim with 10 containers, PSS"], err = pss(s.pid); err != nil {
		return err
	}
	if err := h.operations(ctx, c, s, all[0], v); err != nil {
		return err
	}
	for _, b := range all {
		if err := errors.Join(s.end(ctx, b), b.remove()); err != nil {
			return err
		}
	}
	return s.shutdown(ctx, all[0])
}

// repeat is how often a round repeats an operation in a shim: the kernel reports the CPU
// time of other processes in units of 10 ms.
const repeat = 10

// operations measures containers of a pod, from create to delete, and exec.
func (h *host) operations(ctx context.Context, c candidate, s *service, first *bundle, v values) error {
	var all []*bundle
	for range repeat {
		b, err := h.bundle(c, first.id)
		if err != nil {
			return err
		}
		all = append(all, b)
	}
	life := newClock(s.pid)
	for _, b := range all {
		if err := errors.Join(s.run(ctx, b), s.end(ctx, b)); err != nil {
			return err
		}
	}
	life.stop(v, "create, start, kill, delete", repeat)
	exec := newClock(s.pid)
	for range repeat {
		if err := s.exec(ctx, first); err != nil {
			return err
		}
	}
	exec.stop(v, "exec of true", repeat)
	for _, b := range all {
		if err := b.remove(); err != nil {
			return err
		}
	}
	return nil
}

// run creates and starts a container.
func (s *service) run(ctx context.Context, b *bundle) error {
	_, err := s.Create(ctx, &task.CreateTaskRequest{ID: b.id, Bundle: b.dir, Options: b.options})
	if err == nil {
		_, err = s.Start(ctx, &task.StartRequest{ID: b.id})
	}
	return err
}

// end kills and deletes a container.
func (s *service) end(ctx context.Context, b *bundle) error {
	_, err := s.Kill(ctx, &task.KillRequest{ID: b.id, Signal: uint32(unix.SIGKILL)})
	if err == nil {
		_, err = s.Wait(ctx, &task.WaitRequest{ID: b.id})
	}
	if err == nil {
		_, err = s.Delete(ctx, &task.DeleteRequest{ID: b.id})
	}
	return err
}

// exec executes a program that ends at once.
func (s *service) exec(ctx context.Context, b *bundle) error {
	text, err := json.Marshal(&specs.Process{Cwd: "/", Args: []string{"/bin/true"}, Env: []string{"PATH=/bin"}})
	if err != nil {
		return err
	}
	spec := &anypb.Any{TypeUrl: "types.containerd.io/opencontainers/runtime-spec/1/Process", Value: text}
	_, err = s.Exec(ctx, &task.ExecProcessRequest{ID: b.id, ExecID: "x", Spec: spec})
	if err == nil {
		_, err = s.Start(ctx, &task.StartRequest{ID: b.id, ExecID: "x"})
	}
	if err == nil {
		_, err = s.Wait(ctx, &task.WaitRequest{ID: b.id, ExecID: "x"})
	}
	if err == nil {
		_, err = s.Delete(ctx, &task.DeleteRequest{ID: b.id, ExecID: "x"})
	}
	return err
}

// cpuOf returns the CPU time in ms of a process and its reaped children; with 0, of the
// reaped children of this process.
func cpuOf(pid int) float64 {
	if pid == 0 {
		var usage unix.Rusage
		if err := unix.Getrusage(unix.RUSAGE_CHILDREN, &usage); err != nil {
			panic(err)
		}
		return ms(time.Duration(usage.Utime.Nano() + usage.Stime.Nano()))
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		panic(err)
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+2:]))
	ticks := 0
	for _, field := range fields[11:15] { // utime, stime, cutime, cstime
		n, err := strconv.Atoi(field)
		if err != nil {
			panic(err)
		}
		ticks += n
	}
	return float64(ticks) * 10
}

// pss returns the memory of a process in kB.
func pss(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "Pss:"); ok {
			return strconv.ParseFloat(strings.Fields(rest)[0], 64)
		}
	}
	return 0, errors.New("smaps_rollup has no Pss")
}
