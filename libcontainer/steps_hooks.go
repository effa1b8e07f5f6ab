package libcontainer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/hooks"
)

// hookPoint is how the hooks of a kind run.
type hookPoint struct {
	kind config.HookKind
	// status is the container's, as its hooks are told.
	status specs.ContainerState
	// inside is the walk down the step table by which a command gets into the
	// container; 0 for one that runs on the host.
	inside verbs
}

// hookError says which hook failed. It is the container's end.
type hookError struct {
	field string
	path  string // empty for a function
	err   error
}

func (e *hookError) Error() string {
	if e.path == "" {
		return fmt.Sprintf("%s: %v", e.field, e.err)
	}
	return fmt.Sprintf("%s: %q: %v", e.field, e.path, e.err)
}

// Unwrap gives the cause.
func (e *hookError) Unwrap() error { return e.err }

// hookStepError says which step on a hook's way into the container failed.
type hookStepError struct {
	step string
	err  error
}

func (e *hookStepError) Error() string { return e.step + ": " + e.err.Error() }

// Unwrap gives the cause.
func (e *hookStepError) Unwrap() error { return e.err }

func hasRuntimeHooks(c *config.Config) bool {
	return c.Hooked(config.Prestart) || c.Hooked(config.CreateRuntime)
}

func hasCreateHooks(c *config.Config) bool { return c.Hooked(config.CreateContainer) }

func hasStartHooks(c *config.Config) bool { return c.Hooked(config.StartContainer) }

func hasPoststartHooks(c *config.Config) bool { return c.Hooked(config.Poststart) }

func runRuntimeHooks(r *run) error {
	if err := r.runHooks(hookPoint{kind: config.Prestart, status: specs.StateCreating}); err != nil {
		return err
	}
	return r.runHooks(hookPoint{kind: config.CreateRuntime, status: specs.StateCreating})
}

func runCreateHooks(r *run) error {
	return r.runHooks(hookPoint{kind: config.CreateContainer, status: specs.StateCreating, inside: inCreateHook})
}

func runStartHooks(r *run) error {
	return r.runHooks(hookPoint{kind: config.StartContainer, status: specs.StateCreated, inside: inStartHook})
}

// runPoststartHooks runs them without the lock: the container is started, and
// a hook may want to do something with it.
func runPoststartHooks(r *run) error {
	r.lock.unlock()
	r.lock = nil
	return r.runHooks(hookPoint{kind: config.Poststart, status: specs.StateRunning})
}

// runHooks runs the hooks of one kind, in order, until one fails.
func (r *run) runHooks(at hookPoint) error {
	state := r.c.hookState(at.status)
	copies, err := openHookOutput(r.cfg, at.kind)
	if err != nil {
		return err
	}
	defer copies.close()
	for i, hook := range at.kind.Commands(r.cfg.Hooks) {
		var err error
		if at.inside != 0 {
			err = r.runInside(at, &hook, copies)
		} else {
			err = runOnHost(r.ctx, &hook, state, copies)
		}
		if err != nil {
			return &hookError{field: fmt.Sprintf("hooks.%s[%d]", at.kind, i), path: hook.Path, err: err}
		}
	}
	for i, function := range r.cfg.HookFunctions[at.kind] {
		if err := function(r.ctx, state); err != nil {
			return &hookError{field: fmt.Sprintf("%s function %d", at.kind, i), err: err}
		}
	}
	return nil
}

// hookState is what a hook is told of the container (runtime.md, State).
func (c *Container) hookState(status specs.ContainerState) specs.State {
	s := specs.State{Version: specs.Version, ID: c.ID(), Status: status, Bundle: c.state.Bundle, Annotations: c.state.Annotations}
	if status != specs.StateStopped {
		s.Pid = c.state.Pid
	}
	return s
}

// runOnHost runs a command in the namespaces of this process, and in the
// bundle's directory as long as there is one.
func runOnHost(ctx context.Context, hook *specs.Hook, state specs.State, copies hookOutput) error {
	stdin, err := json.Marshal(state)
	if err != nil {
		return err
	}
	dir := state.Bundle
	if st, err := os.Stat(dir); err != nil || !st.IsDir() {
		dir = "/"
	}
	return hooks.Command{
		Path: hook.Path, Args: hook.Args, Env: hook.Env, Dir: dir, Stdin: stdin, Timeout: hookTimeout(hook),
		Copies: copies.writers(),
	}.Run(ctx)
}

// hookTimeout gives the time that a hook has, 0 if it is not limited.
func hookTimeout(hook *specs.Hook) time.Duration {
	if hook.Timeout == nil {
		return 0
	}
	return time.Duration(min(*hook.Timeout, math.MaxInt64/int(time.Second))) * time.Second
}

// runInside runs a command in the container, as a second stub that becomes the
// command: nothing else of berth's is in the container. Its state has the
// process id that the container's first process has there.
func (r *run) runInside(at hookPoint, hook *specs.Hook, copies hookOutput) error {
	pid := r.p.Getpid()
	if err := r.flush(); err != nil {
		return err
	}
	state := r.c.hookState(at.status)
	state.Pid = pid.Int()
	stdin, err := json.Marshal(state)
	if err != nil {
		return err
	}
	streams, err := hooks.NewStreams(stdin, copies.writers())
	if err != nil {
		return err
	}
	defer streams.Close()
	sub := &run{table: r.table, ctx: r.ctx, verb: at.inside, cfg: r.cfg, c: r.c, launch: r.launch, log: r.log, cgroup: r.c.cgroup(), hook: hook, first: r}
	sub.opts.Stdio = streams.Files
	i, err := sub.descend()
	sub.release()
	if err != nil {
		return sub.undo(i, sub.stepError(r.table[i].name, err))
	}
	p := hooks.Process{Pid: sub.child.Pid, Pidfd: sub.child.Pidfd}
	err = p.Wait(r.ctx, streams, hookTimeout(hook))
	return errors.Join(err, sub.child.Close(), sub.child.Release())
}

// hookCommand gives arguments and environment of a hook in the container.
func (r *run) hookCommand() (args, env []string) {
	args, env = r.hook.Args, r.hook.Env
	if len(args) == 0 {
		args = []string{r.hook.Path}
	}
	if len(env) == 0 && r.verb == inStartHook {
		env = r.programEnv()
	}
	return args, env
}

// executeHook lets a second stub become the hook.
func executeHook(r *run) error {
	args, env := r.hookCommand()
	r.p.Label("")
	r.p.Execve(r.hook.Path, args, env)
	return execError(r.flush())
}

// poststopConfig gives the configuration if there are poststop hooks in it. A
// container whose create was killed before it had written that has no hooks
// to run.
func (c *Container) poststopConfig() (*config.Config, error) {
	if c.config != nil {
		return c.config, nil
	}
	if !c.state.Poststop {
		return nil, nil
	}
	cfg, err := readConfig(c.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return cfg, err
}

// poststop runs the hooks that follow the container's end. The specification
// wants one that fails to be warned of, and the others to be run.
func (c *Container) poststop(ctx context.Context, cfg *config.Config) {
	if cfg == nil {
		return
	}
	state := c.hookState(specs.StateStopped)
	copies, err := openHookOutput(cfg, config.Poststop)
	if err != nil {
		c.warn(err)
	}
	defer copies.close()
	for i, hook := range config.Poststop.Commands(cfg.Hooks) {
		if err := runOnHost(ctx, &hook, state, copies); err != nil {
			c.warn(&hookError{field: fmt.Sprintf("hooks.%s[%d]", config.Poststop, i), path: hook.Path, err: err})
		}
	}
	for i, function := range cfg.HookFunctions[config.Poststop] {
		if err := function(ctx, state); err != nil {
			c.warn(&hookError{field: fmt.Sprintf("%s function %d", config.Poststop, i), err: err})
		}
	}
}

func (c *Container) warn(err error) {
	if c.log != nil {
		c.log.Warn(err.Error())
	}
}
