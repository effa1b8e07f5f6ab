package ociruntime

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/libcontainer"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/specconv"
)

// CreateOptions describe a new container.
type CreateOptions struct {
	// Bundle is the bundle directory, by default the current directory. If that was
	// removed, a Spec must have absolute paths only; its bundle is "/" then.
	Bundle string
	// ConfigFile is the path of the configuration, relative to the bundle; config.json
	// by default.
	ConfigFile string
	// Spec, if not nil, replaces the bundle's config.json. The caller must not change
	// it afterwards.
	Spec *specs.Spec
	// Stdin, Stdout and Stderr are those of the program. The program gets an *os.File
	// itself, a pipe for other readers and writers, and the null device for nil. They
	// are ignored for a program with a terminal. A Read in progress when the program
	// ends is not interrupted, and its data is lost. Stdout and Stderr are written by
	// two goroutines, or by one if they are equal.
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	// Pipes uses pipes for files too, so that the program cannot seek in them, truncate
	// them, or push input into a terminal.
	Pipes bool
	// WaitDelay limits the time that Wait waits for the output of a program that has
	// ended: processes that it left can keep its output open. Then Wait returns an
	// *OutputError with ErrWaitDelay, Stdout and Stderr are no longer used, and a process
	// that still writes gets SIGPIPE. 0 means no limit.
	WaitDelay time.Duration
	// ExtraFiles become the program's descriptors 3, 4, ….
	ExtraFiles []*os.File
	// ListenFDs is the number of ExtraFiles, from the first, that are sockets of socket
	// activation: LISTEN_FDS and LISTEN_PID are added to the program's environment
	// (sd_listen_fds(3)).
	ListenFDs int
	// SharedKeyring keeps the session keyring of this process. By default each
	// container has a new one.
	SharedKeyring bool
	// Notify adds a socket for readiness messages (sd_notify(3)) to the container;
	// Container.Notify listens on it.
	Notify bool
	// NoPivot moves the container's root onto "/" instead of using pivot_root(2), for a
	// host with a ramdisk as "/". It protects less: a process in the container that may
	// unmount can reach the host's root file system.
	NoPivot bool
	// ConsoleSocket is the path of a unix socket, relative to the bundle, that receives
	// the program's terminal. If empty, Container.Console returns the terminal.
	ConsoleSocket string
	// ConsoleRequired refuses a terminal without ConsoleSocket, for a caller that exits
	// before the program: the terminal would be closed.
	ConsoleRequired bool
	// PidFile, if not empty, is the path of a file that the process ID of init is
	// written to.
	PidFile string
	// PidfdSocket, if not empty, is the path of a unix socket, relative to the bundle,
	// that receives a pidfd of init.
	PidfdSocket string
	// Hooks are functions called as hooks, after the commands that the configuration
	// has for the same point. All are called in this process. They belong to the
	// returned Container: another process that starts or deletes the container does not
	// call them.
	Hooks map[config.HookKind][]config.HookFunction
	// Attached binds a created container to this process: until it is started, the
	// container ends with this process, and only the returned Container can start it.
	Attached bool
	// DieWithParent kills the container when this process ends, however it ends: a process
	// outside the container, of 16 kB, waits for that. The container needs a pid namespace
	// of its own. SIGKILL to all processes of a cgroup that has this process also reaches
	// the one that waits; there the container remains. It implies Attached.
	DieWithParent bool
}

// Create makes a container, but does not run its program. If Create fails or ctx ends,
// nothing is left of the container; ctx has no effect after Create returns. The error
// is libcontainer.ErrExist if the ID is in use, libcontainer.ErrInvalidSpec for a
// mistake in the configuration; the *libcontainer.Error then names the field. The errors
// of process.args[0] are those of Container.Exec.
func (r *Runtime) Create(ctx context.Context, id string, o CreateOptions) (*Container, error) {
	c, err := r.create(ctx, id, o)
	return c, errorOf("create", id, err)
}

func (r *Runtime) create(ctx context.Context, id string, o CreateOptions) (*Container, error) {
	return r.make(ctx, id, &o, func(cfg *config.Config, files libcontainer.IO, log *slog.Logger) (*libcontainer.Container, error) {
		return libcontainer.Create(ctx, libcontainer.CreateOptions{
			Root: r.root, ID: id, Config: cfg, IO: files,
			Detach: !o.Attached && !o.DieWithParent, DieWithParent: o.DieWithParent, Rootless: r.opts.Rootless, Resctrl: r.opts.Resctrl, Log: log,
		})
	})
}

// make checks the configuration, opens the channels and lets a function make the container.
func (r *Runtime) make(ctx context.Context, id string, o *CreateOptions,
	do func(*config.Config, libcontainer.IO, *slog.Logger) (*libcontainer.Container, error),
) (*Container, error) {
	if err := libcontainer.ValidateID(id); err != nil {
		return nil, err
	}
	cfg, err := r.configure(o)
	if err != nil {
		return nil, err
	}
	ch, err := o.ends(cfg.Process.Terminal).below(cfg.Bundle).open()
	if err != nil {
		return nil, err
	}
	defer ch.close()
	warned := newWarnings(r.opts.Log)
	lc, err := do(cfg, ch.io(o.ExtraFiles), slog.New(warned))
	if err != nil {
		return nil, ch.fail(err)
	}
	c := &Container{c: lc, console: ch.terminal.console, stdio: ch.stdio, warned: warned.warningList}
	if err := ch.announce(c.Pid(), "standard"); err != nil {
		return nil, errors.Join(err, c.Delete(context.WithoutCancel(ctx), DeleteOptions{Force: true}))
	}
	return c, nil
}

// configure returns the checked configuration, and makes the state root.
func (r *Runtime) configure(o *CreateOptions) (*config.Config, error) {
	cfg, err := loadConfig(*o)
	if err != nil {
		return nil, err
	}
	if err := addHooks(cfg, o.Hooks); err != nil {
		return nil, err
	}
	cfg.NoPivot, cfg.Notify, cfg.SystemdCgroup = o.NoPivot, o.Notify, r.opts.SystemdCgroup
	if cfg.ListenFDs, cfg.SharedKeyring = o.ListenFDs, o.SharedKeyring; o.ListenFDs > len(o.ExtraFiles) {
		return nil, fmt.Errorf("ListenFDs is %d, and there are %d ExtraFiles", o.ListenFDs, len(o.ExtraFiles))
	}
	return cfg, r.makeRoot()
}

func (o *CreateOptions) ends(terminal bool) ends {
	return ends{
		stdin: o.Stdin, stdout: o.Stdout, stderr: o.Stderr, pipes: o.Pipes, waitDelay: o.WaitDelay, terminal: terminal,
		consoleSocket: o.ConsoleSocket, consoleRequired: o.ConsoleRequired, pidfdSocket: o.PidfdSocket, pidFile: o.PidFile,
	}
}

// loadConfig reads and checks the bundle's configuration.
func loadConfig(o CreateOptions) (*config.Config, error) {
	bundle, err := bundlePath(o.Bundle)
	if err != nil && o.Spec != nil && o.Bundle == "" {
		return withoutBundle(o.Spec)
	}
	if err != nil {
		return nil, err
	}
	spec := o.Spec
	if spec == nil {
		if spec, err = readSpec(bundle, o.ConfigFile); err != nil {
			return nil, err
		}
	}
	cfg, err := specconv.Convert(spec, specconv.Options{Bundle: bundle})
	if err != nil {
		return nil, err
	}
	return cfg, checkRootfs(cfg.Rootfs)
}

// withoutBundle checks a configuration if the working directory was removed: that matters
// only to a configuration with relative paths. The state needs some directory as bundle.
func withoutBundle(spec *specs.Spec) (*config.Config, error) {
	cfg, err := specconv.Convert(spec, specconv.Options{})
	if err != nil {
		return nil, err
	}
	cfg.Bundle = "/"
	return cfg, checkRootfs(cfg.Rootfs)
}

// readSpec reads a configuration, relative to the bundle.
func readSpec(bundle, name string) (*specs.Spec, error) {
	if name == "" {
		name = "config.json"
	}
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(bundle, name)
	}
	file, err := sys.ReadAtMost(path, specconv.MaxSize+1) // Parse refuses a longer file
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("bundle %q: JSON specification file %s not found (name the bundle with --bundle, or write one with \"berth spec\")", bundle, name)
	}
	if err != nil {
		return nil, fmt.Errorf("read bundle: %w", err)
	}
	spec, err := specconv.Parse(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return spec, nil
}

// addHooks adds functions to a configuration.
func addHooks(cfg *config.Config, functions map[config.HookKind][]config.HookFunction) error {
	for kind := range functions {
		if !slices.Contains(config.HookKinds[:], kind) {
			return fmt.Errorf("hook functions: unknown kind of hook %q", kind)
		}
	}
	cfg.HookFunctions = functions
	return nil
}

// bundlePath returns the absolute path of the bundle, without symbolic links.
func bundlePath(bundle string) (string, error) {
	abs, err := filepath.Abs(bundle)
	if err == nil {
		abs, err = filepath.EvalSymlinks(abs)
	}
	if err != nil {
		return "", fmt.Errorf("find bundle: %w", err)
	}
	return abs, nil
}

func checkRootfs(path string) error {
	st, err := os.Stat(path)
	var pathErr *fs.PathError
	switch {
	case errors.As(err, &pathErr):
		return config.FieldErrorf("root.path", "%q: %w", path, pathErr.Err)
	case err != nil:
		return &config.FieldError{Field: "root.path", Err: err}
	case !st.IsDir():
		return config.FieldErrorf("root.path", "%q: not a directory", path)
	}
	return nil
}

// Run creates and starts a container. It omits the preparations that let another
// process start the container. If Run fails, nothing is left. It returns the errors of
// Create and of Container.Start.
func (r *Runtime) Run(ctx context.Context, id string, o CreateOptions) (*Container, error) {
	o.Attached = true
	c, err := r.Create(ctx, id, o)
	if err != nil {
		return nil, err
	}
	if err := c.Start(ctx); err != nil {
		return nil, errors.Join(err, c.Delete(context.WithoutCancel(ctx), DeleteOptions{Force: true}))
	}
	return c, nil
}
