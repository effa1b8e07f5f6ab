package task

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	taskapi "github.com/containerd/containerd/api/runtime/task/v3"
	runc "github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/v2/core/events"
	"github.com/containerd/containerd/v2/pkg/shutdown"
	"github.com/containerd/typeurl/v2"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/berth-oci/berth/specconv"
)

// record is a publisher that keeps events.
type record struct {
	mu     sync.Mutex
	events []events.Event
	closed bool
}

func (r *record) Publish(_ context.Context, _ string, e events.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
	return nil
}

func (r *record) Close() error {
	r.closed = true
	return nil
}

// topics returns the topics of all events, and those of exits with the process's ID.
func (r *record) topics() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []string
	for _, e := range r.events {
		text := strings.TrimPrefix(topic(e), "/tasks/")
		if exit, ok := e.(interface {
			GetID() string
			GetExitStatus() uint32
		}); ok && text == "exit" {
			text = fmt.Sprintf("exit %s %d", exit.GetID(), exit.GetExitStatus())
		}
		list = append(list, text)
	}
	return list
}

// host is a service with the files that its tests need.
type host struct {
	*Service
	t      *testing.T
	record *record
	dir    string
	number atomic.Int32
}

func newHost(t *testing.T) *host {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("makes containers: needs root")
	}
	h := &host{t: t, record: new(record), dir: t.TempDir()}
	h.makeRootfs()
	ctx, sd := shutdown.WithShutdown(context.Background())
	h.Service = New(ctx, "test", h.record, sd)
	sd.RegisterCallback(h.close)
	t.Cleanup(func() {
		for id := range h.containers {
			t.Errorf("container %s is left", id)
		}
		sd.Shutdown()
		<-sd.Done()
		if left, _ := os.ReadDir(filepath.Join(h.dir, "state", "test")); len(left) > 0 {
			t.Errorf("left in the state root: %v", left)
		}
	})
	return h
}

// makeRootfs makes the root file system of all containers: busybox.
func (h *host) makeRootfs() {
	program, err := os.ReadFile("/bin/busybox")
	if err != nil {
		h.t.Skip("no /bin/busybox: hack/deps test")
	}
	bin := filepath.Join(h.dir, "rootfs", "bin")
	for _, dir := range []string{bin, filepath.Join(h.dir, "rootfs", "tmp")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			h.t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(bin, "busybox"), program, 0o755); err != nil {
		h.t.Fatal(err)
	}
	for _, name := range []string{"sh", "sleep", "cat", "stty", "tty", "true", "tail"} {
		if err := os.Symlink("busybox", filepath.Join(bin, name)); err != nil {
			h.t.Fatal(err)
		}
	}
}

// request makes a bundle that runs a script, and the request to create its container.
func (h *host) request(script string, changes ...func(*specs.Spec)) *taskapi.CreateTaskRequest {
	h.t.Helper()
	id := fmt.Sprintf("berth-shim-%d-%d", os.Getpid(), h.number.Add(1))
	spec := specconv.Default(specconv.DefaultOptions{})
	spec.Root.Path = filepath.Join(h.dir, "rootfs")
	spec.Process.Terminal = false
	spec.Process.Args = []string{"/bin/sh", "-c", script}
	spec.Linux.CgroupsPath = "/" + id
	for _, change := range changes {
		change(spec)
	}
	bundle := filepath.Join(h.dir, id)
	text, err := json.Marshal(spec)
	if err == nil {
		err = os.Mkdir(bundle, 0o700)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(bundle, "config.json"), text, 0o600)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return &taskapi.CreateTaskRequest{
		ID: id, Bundle: bundle, Terminal: spec.Process.Terminal,
		Options: h.marshal(&runc.Options{Root: filepath.Join(h.dir, "state")}),
	}
}

func (h *host) marshal(v any) *anypb.Any {
	h.t.Helper()
	a, err := typeurl.MarshalAnyToProto(v)
	if err != nil {
		h.t.Fatal(err)
	}
	return a
}

// run creates and starts a container.
func (h *host) run(r *taskapi.CreateTaskRequest) {
	h.t.Helper()
	do(h.t, h.Create, r)
	do(h.t, h.Start, &taskapi.StartRequest{ID: r.ID})
}

// exec starts a process.
func (h *host) exec(r *taskapi.ExecProcessRequest, script string) {
	h.t.Helper()
	r.Spec = h.process(script)
	do(h.t, h.Exec, r)
	do(h.t, h.Start, &taskapi.StartRequest{ID: r.ID, ExecID: r.ExecID})
}

func (h *host) process(script string) *anypb.Any {
	h.t.Helper()
	text, err := json.Marshal(&specs.Process{Cwd: "/", Env: []string{"PATH=/bin"}, Args: []string{"/bin/sh", "-c", script}})
	if err != nil {
		h.t.Fatal(err)
	}
	return &anypb.Any{Value: text}
}

// finish waits for a process and deletes it; it returns the exit status.
func (h *host) finish(id, exec string) uint32 {
	h.t.Helper()
	w := do(h.t, h.Wait, &taskapi.WaitRequest{ID: id, ExecID: exec})
	d := do(h.t, h.Delete, &taskapi.DeleteRequest{ID: id, ExecID: exec})
	if d.ExitStatus != w.ExitStatus || d.ExitedAt.AsTime() != w.ExitedAt.AsTime() {
		h.t.Errorf("wait: %v, delete: %v", w, d)
	}
	return d.ExitStatus
}

// kill kills a container, and finishes it.
func (h *host) kill(id string) {
	h.t.Helper()
	do(h.t, h.Kill, &taskapi.KillRequest{ID: id, Signal: uint32(unix.SIGKILL)})
	if status := h.finish(id, ""); status != 128+9 {
		h.t.Errorf("exit status %d, want 137", status)
	}
}

// fifo makes a fifo and reads it to its end.
func (h *host) fifo() (path string, read func() string) {
	h.t.Helper()
	path = filepath.Join(h.dir, fmt.Sprintf("fifo%d", h.number.Add(1)))
	if err := unix.Mkfifo(path, 0o700); err != nil {
		h.t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		h.t.Fatal(err)
	}
	var text bytes.Buffer
	done := make(chan error, 1)
	return path, func() string {
		h.t.Helper()
		go func() {
			_, err := io.Copy(&text, f)
			done <- err
		}()
		select {
		case err := <-done:
			if err != nil {
				h.t.Error(err)
			}
		case <-time.After(time.Minute):
			f.Close()
			h.t.Errorf("%s has no end after %q", path, &text)
		}
		f.Close()
		return text.String()
	}
}

// do calls an operation, which must succeed.
func do[Request, Response any](t *testing.T, f func(context.Context, *Request) (*Response, error), r *Request) *Response {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	response, err := f(ctx, r)
	if err != nil {
		t.Fatalf("%T: %v", r, err)
	}
	return response
}

// refused calls an operation, which must fail with a class of error.
func refused[Request, Response any](t *testing.T, f func(context.Context, *Request) (*Response, error), r *Request, is func(error) bool) {
	t.Helper()
	_, err := f(t.Context(), r)
	if err == nil {
		t.Fatalf("%T: no error", r)
	}
	if !is(classify(err)) {
		t.Errorf("%T: error %v of another class", r, err)
	}
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}
