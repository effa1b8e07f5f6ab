package setup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"runtime/debug"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/internal/codec"
	"github.com/berth-oci/berth/internal/hooks"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/internal/state"
)

// hookPoint has the parameters for running the hooks of one kind.
type hookPoint struct {
	kind config.HookKind
	// status is the container's status in the state that the hooks read.
	status specs.ContainerState
	// run runs one hook; state is written to its standard input.
	run func(hook *specs.Hook, state specs.State, copies hookOutput) error
}

func runRuntimeHooks(r *run) error {
	if err := r.runHooks(hookPoint{config.Prestart, specs.StateCreating, r.runOutside}); err != nil {
		return err
	}
	return r.runHooks(hookPoint{config.CreateRuntime, specs.StateCreating, r.runOutside})
}

// runCreateHooks runs the createContainer hooks. The state is still incomplete: it
// copies the fields that exist.
func runCreateHooks(r *run) error {
	container := &state.State{
		ID: r.id, Pid: r.state.Pid, StartTime: r.state.StartTime, Cgroups: r.state.Cgroups, Unit: r.state.Unit, Resctrl: r.state.Resctrl,
	}
	return r.runHooks(hookPoint{config.CreateContainer, specs.StateCreating, func(hook *specs.Hook, state specs.State, copies hookOutput) error {
		return r.runInside(inCreateHook, container, *hook, state, copies)
	}})
}

// runStartHooks runs the startContainer hooks. A hook without env gets the program's
// environment.
func runStartHooks(r *run) error {
	env := r.programEnv()
	return r.runHooks(hookPoint{config.StartContainer, specs.StateCreated, func(hook *specs.Hook, state specs.State, copies hookOutput) error {
		with := *hook
		if len(with.Env) == 0 {
			with.Env = env
		}
		return r.runInside(inStartHook, r.state, with, state, copies)
	}})
}

// runPoststartHooks runs the poststart hooks without the lock: the container is
// started, and a hook may change it.
func runPoststartHooks(r *run) error {
	r.lock.Unlock()
	return r.runHooks(hookPoint{config.Poststart, specs.StateRunning, r.runOutside})
}

// runHooks runs the hooks of one kind in order, and stops at the first failure.
func (r *run) runHooks(at hookPoint) error {
	copies, err := openHookOutput(r.cfg, at.kind)
	if err != nil {
		return err
	}
	defer copies.close()
	state := r.hookState(at.status, r.state.Pid)
	for i, hook := range at.kind.Commands(r.cfg.Hooks) {
		if err := at.run(&hook, state, copies); err != nil {
			return &HookError{Field: fmt.Sprintf("hooks.%s[%d]", at.kind, i), Path: hook.Path, Err: err}
		}
	}
	for i, function := range r.cfg.HookFunctions[at.kind] {
		if err := callHook(r.ctx, function, state); err != nil {
			return &HookError{Field: fmt.Sprintf("%s function %d", at.kind, i), Err: err}
		}
	}
	return nil
}

// runOutside runs a command in the runtime's namespaces.
func (j *job) runOutside(hook *specs.Hook, state specs.State, copies hookOutput) error {
	return runOnHost(j.ctx, hook, state, copies)
}

// callHook calls a hook function on a goroutine of its own: a panic, or the end of the
// goroutine or its thread, becomes an error of the hook, and the steps are undone.
func callHook(ctx context.Context, function config.HookFunction, state specs.State) error {
	ended := make(chan error)
	go func() {
		err := errors.New("it called runtime.Goexit")
		defer func() {
			if v := recover(); v != nil {
				err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
			}
			ended <- err
		}()
		err = function(ctx, state)
	}()
	return <-ended
}

// hookState returns the state that hooks read (runtime.md, State).
func (j *job) hookState(status specs.ContainerState, pid int) specs.State {
	return specs.State{
		Version: specs.Version, ID: j.id, Status: status, Pid: pid, Bundle: j.cfg.Bundle, Annotations: j.cfg.Annotations,
	}
}

// runOnHost runs a command in the namespaces of this process. Its working directory is
// the bundle, or "/" if the bundle does not exist, or is not reachable.
func runOnHost(ctx context.Context, hook *specs.Hook, state specs.State, copies hookOutput) error {
	stdin, err := codec.Marshal(&state, codec.EncodeState)
	if err != nil {
		return err
	}
	dir := state.Bundle
	switch st, err := os.Stat(dir); {
	case err == nil && !st.IsDir(), errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		dir = "/"
	case err != nil:
		return err
	}
	return hooks.Command{
		Path: hook.Path, Args: hook.Args, Env: hook.Env, Dir: dir, Stdin: stdin, Timeout: hookTimeout(hook),
		Copies: copies.writers(),
	}.Run(ctx)
}

// hookTimeout returns the time limit of a hook; 0 means none.
func hookTimeout(hook *specs.Hook) time.Duration {
	if hook.Timeout == nil {
		return 0
	}
	return time.Duration(min(int64(*hook.Timeout), math.MaxInt64/int64(time.Second))) * time.Second
}

// runInside runs a command in the container. The hook stub becomes the command, so no
// other process of berth is in the container. The state has init's process ID in the
// container's pid namespace.
func (r *run) runInside(op operation, container *state.State, hook specs.Hook, state specs.State, copies hookOutput) error {
	pid := r.stub.Getpid()
	if err := r.flush(); err != nil {
		return err
	}
	state.Pid = pid.Int()
	stdin, err := codec.Marshal(&state, codec.EncodeState)
	if err != nil {
		return err
	}
	streams, err := hooks.NewStreams(stdin, copies.writers())
	if err != nil {
		return err
	}
	defer streams.Close()
	if len(hook.Args) == 0 {
		hook.Args = []string{hook.Path}
	}
	sub := newRun(r.table, job{
		op: op, ctx: r.ctx, id: r.id, dir: r.dir, cfg: r.cfg, log: r.log, IO: IO{Stdio: streams.Files},
		cgroups: container.Cgroups, bytecode: r.bytecode, resctrl: r.resctrl, hook: &hook, init: r.stub,
	}, values{state: container})
	i, err := sub.descend()
	sub.release()
	if err != nil {
		return sub.undo(i, sub.stepError(r.table[i].name, err))
	}
	p := hooks.Process{Pid: sub.child.Pid, Pidfd: sub.child.Pidfd}
	err = p.Wait(r.ctx, streams, hookTimeout(&hook))
	return errors.Join(err, sub.child.Close(), sub.child.Release())
}

// executeHook executes the hook in the hook stub.
func executeHook(r *run) error {
	r.stub.Label("")
	r.stub.Execve(r.hook.Path, r.hook.Args, r.hook.Env)
	return execError(r.flush())
}

// RunPoststop runs the poststop hooks of a container that has ended. It logs a warning
// for each hook that fails, and runs the others (config.md, Poststop). Cfg and log may
// be nil.
func RunPoststop(ctx context.Context, state specs.State, cfg *config.Config, log *slog.Logger) {
	if cfg == nil {
		return
	}
	warn := func(err error) {
		if log != nil {
			log.Warn(err.Error())
		}
	}
	copies, err := openHookOutput(cfg, config.Poststop)
	if err != nil {
		warn(err)
	}
	defer copies.close()
	for i, hook := range config.Poststop.Commands(cfg.Hooks) {
		if err := runOnHost(ctx, &hook, state, copies); err != nil {
			warn(&HookError{Field: fmt.Sprintf("hooks.%s[%d]", config.Poststop, i), Path: hook.Path, Err: err})
		}
	}
	for i, function := range cfg.HookFunctions[config.Poststop] {
		if err := callHook(ctx, function, state); err != nil {
			warn(&HookError{Field: fmt.Sprintf("%s function %d", config.Poststop, i), Err: err})
		}
	}
}
