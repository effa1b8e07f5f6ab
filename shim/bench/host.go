package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	task "github.com/containerd/containerd/api/runtime/task/v2"
	events "github.com/containerd/containerd/api/services/ttrpc/events/v1"
	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/ttrpc"
	"github.com/containerd/typeurl/v2"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/berth-oci/berth/specconv"
)

// host takes the part of containerd.
type host struct {
	dir     string
	server  *ttrpc.Server
	number  int
	address string
	// idle is the time before the second measurement of memory; 0 for none.
	idle time.Duration
}

// received forgets events.
type received struct{}

func (received) Forward(context.Context, *events.ForwardRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

func newHost(dir, busybox string) (*host, error) {
	h := &host{dir: dir, address: filepath.Join(dir, "events.sock")}
	if err := h.makeRootfs(busybox); err != nil {
		return nil, err
	}
	var err error
	if h.server, err = ttrpc.NewServer(); err != nil {
		return nil, err
	}
	events.RegisterEventsService(h.server, received{})
	l, err := net.Listen("unix", h.address)
	if err != nil {
		return nil, err
	}
	go h.server.Serve(context.Background(), l) //nolint:errcheck // it ends with the program
	return h, nil
}

func (h *host) close() error { return h.server.Close() }

func (h *host) makeRootfs(busybox string) error {
	program, err := os.ReadFile(busybox)
	if err != nil {
		return err
	}
	bin := filepath.Join(h.dir, "rootfs", "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(bin, "busybox"), program, 0o755); err != nil {
		return err
	}
	return errors.Join(os.Symlink("busybox", filepath.Join(bin, "sleep")), os.Symlink("busybox", filepath.Join(bin, "true")))
}

// bundle is a container's directory.
type bundle struct {
	id, dir string
	options *anypb.Any
	log     *os.File
}

// bundle makes a container's bundle. Group is that of its pod, or empty.
func (h *host) bundle(c candidate, group string) (*bundle, error) {
	h.number++
	id := fmt.Sprintf("berth-bench-%d-%d", os.Getpid(), h.number)
	b := &bundle{id: id, dir: filepath.Join(h.dir, id)}
	spec := specconv.Default(specconv.DefaultOptions{})
	spec.Version = "1.0.2" // Debian's crun knows no later one
	spec.Root.Path = filepath.Join(h.dir, "rootfs")
	spec.Process.Terminal = false
	spec.Process.Args = []string{"/bin/sleep", "1000"}
	spec.Linux.CgroupsPath = "/" + id
	spec.Annotations = map[string]string{"io.kubernetes.cri.sandbox-id": id}
	if group != "" {
		spec.Annotations["io.kubernetes.cri.sandbox-id"] = group
	}
	text, err := json.Marshal(spec)
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(b.dir, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(b.dir, "config.json"), text, 0o600); err != nil {
		return nil, err
	}
	b.options, err = typeurl.MarshalAnyToProto(&options.Options{BinaryName: c.runtime, Root: filepath.Join(h.dir, "state")})
	if err != nil {
		return nil, err
	}
	return b, b.openLog()
}

// openLog makes the fifo for the shim's log, and reads it.
func (b *bundle) openLog() error {
	path := filepath.Join(b.dir, "log")
	if err := unix.Mkfifo(path, 0o700); err != nil {
		return err
	}
	var err error
	if b.log, err = os.OpenFile(path, os.O_RDWR|unix.O_NONBLOCK, 0); err != nil {
		return err
	}
	go io.Copy(io.Discard, b.log) //nolint:errcheck // until remove
	return nil
}

func (b *bundle) remove() error { return errors.Join(b.log.Close(), os.RemoveAll(b.dir)) }

// service is the task service of a shim.
type service struct {
	task.TaskService
	client *ttrpc.Client
	pid    int // of the shim
}

// start starts a shim, or finds that of the group.
func (h *host) start(ctx context.Context, c candidate, b *bundle) (*service, error) {
	in, err := proto.Marshal(b.options)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, c.shim, "-namespace", "bench", "-address", h.dir, "-publish-binary", "/bin/false", "-id", b.id, "start")
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), "TTRPC_ADDRESS="+h.address, "GOMAXPROCS=2")
	cmd.Stdin = strings.NewReader(string(in))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("start: %w", err)
	}
	conn, err := net.Dial("unix", strings.TrimPrefix(string(out), "unix://"))
	if err != nil {
		return nil, err
	}
	s := &service{client: ttrpc.NewClient(conn)}
	s.TaskService = task.NewTaskClient(s.client)
	answer, err := s.Connect(ctx, &task.ConnectRequest{ID: b.id})
	if err != nil {
		return nil, err
	}
	s.pid = int(answer.ShimPid)
	return s, nil
}

// shutdown ends a shim and reaps it.
func (s *service) shutdown(ctx context.Context, b *bundle) error {
	_, err := s.Shutdown(ctx, &task.ShutdownRequest{ID: b.id})
	if err != nil && !errors.Is(err, ttrpc.ErrClosed) {
		return err
	}
	_, err = unix.Wait4(s.pid, nil, 0, nil)
	return errors.Join(err, s.client.Close())
}
