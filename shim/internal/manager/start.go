package manager

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/containerd/v2/pkg/schedcore"
	"github.com/containerd/containerd/v2/pkg/shim"
	"github.com/containerd/errdefs"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/berth-oci/berth/shim/internal/options"
)

// Start starts a shim for a container, or finds that of its pod.
func (*Manager) Start(ctx context.Context, id string, o shim.StartOpts) (shim.BootstrapParams, error) {
	opts, err := readOptions(os.Stdin)
	if err != nil {
		return shim.BootstrapParams{}, err
	}
	group, err := groupOf(id)
	if err != nil {
		return shim.BootstrapParams{}, err
	}
	sockets, err := listen(ctx, o, group)
	if errors.Is(err, errdefs.ErrAlreadyExists) {
		return answer(sockets[0].address)
	}
	if err == nil {
		err = startServer(ctx, id, o, opts, sockets)
	}
	if err != nil {
		closeAll(sockets)
		return shim.BootstrapParams{}, err
	}
	return answer(sockets[0].address)
}

// readOptions reads the options that containerd passes to a start.
func readOptions(in *os.File) (*options.Options, error) {
	text, err := readAll(in)
	if err != nil {
		return nil, fmt.Errorf("read options: %w", err)
	}
	a := new(anypb.Any)
	if err := proto.Unmarshal(text, a); err != nil {
		return nil, fmt.Errorf("read options: %w", err)
	}
	return options.FromAny(a)
}

// startServer starts this program again, to serve on the sockets.
func startServer(ctx context.Context, id string, o shim.StartOpts, opts *options.Options, sockets []*socket) error {
	cmd, err := serverCommand(ctx, id, o)
	if err != nil {
		return err
	}
	for _, s := range sockets {
		cmd.ExtraFiles = append(cmd.ExtraFiles, s.file)
	}
	if err := startScheduled(cmd); err != nil {
		return fmt.Errorf("start shim: %w", err)
	}
	err = joinCgroup(opts.ShimCgroup, cmd.Process.Pid)
	if err == nil {
		err = shim.AdjustOOMScore(cmd.Process.Pid)
	}
	if err != nil {
		return errors.Join(err, cmd.Process.Kill())
	}
	return cmd.Process.Release()
}

func serverCommand(ctx context.Context, id string, o shim.StartOpts) (*exec.Cmd, error) {
	namespace, err := namespaces.NamespaceRequired(ctx)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args := []string{"-namespace", namespace, "-id", id, "-address", o.Address}
	if o.Debug {
		args = append(args, "-debug")
	}
	cmd := exec.Command(self, args...)
	cmd.Env = os.Environ()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd, nil
}

// startScheduled starts a command. If containerd asks for it, the process and its
// descendants share CPU cores with no other process (core scheduling).
func startScheduled(cmd *exec.Cmd) error {
	if os.Getenv("SCHED_CORE") == "" {
		return cmd.Start()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := schedcore.Create(schedcore.ProcessGroup); err != nil {
		return fmt.Errorf("core scheduling: %w", err)
	}
	return cmd.Start()
}
