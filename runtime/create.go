package ociruntime

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/libcontainer"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/specconv"
)

// CreateOptions say what container is created.
type CreateOptions struct {
	// Bundle is the bundle directory. Empty: the current directory.
	Bundle string
	// ConfigFile is the configuration, relative to the bundle. Empty:
	// config.json.
	ConfigFile string
	// Spec is used instead of the bundle's config.json, if not nil. It must
	// not be changed afterwards.
	Spec *specs.Spec
	// Stdin, Stdout and Stderr are the program's. Files are passed on as they
	// are; other readers and writers are connected by pipes; nil is the null
	// device. A program with a terminal has none of them. The program's input
	// ends where the reader does; a read that has begun when the program ends
	// is not interrupted, and what it gives is lost. Writers are used by two
	// goroutines, by one if they are the same.
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	// Pipes connects files by pipes too: the program then cannot seek or
	// truncate them, nor push input into a terminal.
	Pipes bool
	// ExtraFiles become the program's descriptors 3, 4, ….
	ExtraFiles []*os.File
	// ListenFDs are how many of ExtraFiles, from the first on, are sockets
	// that the program is told of: its environment gets LISTEN_FDS and
	// LISTEN_PID (sd_listen_fds(3)).
	ListenFDs int
	// SharedKeyring leaves the program the session keyring of this process.
	// Otherwise each container has one of its own.
	SharedKeyring bool
	// Notify gives the program a socket by which it can tell that it is ready;
	// Container.Notify listens there.
	Notify bool
	// NoPivot moves the container's root onto "/" instead of pivot_root(2),
	// for a host whose "/" is a ramdisk. It protects less: who may unmount in
	// the container can find the host's root file system.
	NoPivot bool
	// ConsoleSocket is the path of a unix socket to which the program's
	// terminal is sent, relative to the bundle. Empty: it is the Container's
	// Console.
	ConsoleSocket string
	// ConsoleRequired refuses a terminal without ConsoleSocket: nobody would
	// hold it when this process leaves.
	ConsoleRequired bool
	// PidFile, if not empty, gets the process id of the first process.
	PidFile string
	// PidfdSocket is the path of a unix socket, relative to the bundle, to
	// which a pidfd of the first process is sent. Empty: none is.
	PidfdSocket string
	// Hooks are functions to be called as hooks: behind the commands that the
	// configuration names for the same point, in this process, whichever the
	// point is. They belong to the Container returned: another process that
	// starts or deletes the container does not have them.
	Hooks map[config.HookKind][]config.HookFunction
	// Attached keeps the container bound to this process until it is started:
	// it ends with it, and only the Container returned can start it.
	Attached bool
}

// Create makes a container: everything but running its program. When it fails,
// also because ctx ends, nothing is left of it; when it has succeeded, ctx does
// not matter any more. libcontainer.ErrExist if there is one with that id,
// libcontainer.ErrInvalidSpec for what is wrong in the configuration; the
// *libcontainer.Error has the field then.
func (r *Runtime) Create(ctx context.Context, id string, o CreateOptions) (*Container, error) {
	c, err := r.create(ctx, id, o)
	return c, errorOf("create", id, err)
}

func (r *Runtime) create(ctx context.Context, id string, o CreateOptions) (*Container, error) {
	if err := libcontainer.ValidateID(id); err != nil {
		return nil, err
	}
	cfg, err := loadConfig(o)
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
	if err := r.makeRoot(); err != nil {
		return nil, err
	}
	ch, err := o.ends(cfg.Process.Terminal).below(cfg.Bundle).open()
	if err != nil {
		return nil, err
	}
	defer ch.close()
	lc, err := libcontainer.Create(ctx, libcontainer.CreateOptions{
		Root: r.root, ID: id, Config: cfg, IO: ch.io(o.ExtraFiles),
		Detach: !o.Attached, Rootless: r.opts.Rootless, Resctrl: r.opts.Resctrl, Log: r.opts.Log,
	})
	if err != nil {
		return nil, ch.fail(err)
	}
	c := &Container{c: lc, console: ch.terminal.console, stdio: ch.stdio}
	if err := ch.announce(c.Pid(), "standard"); err != nil {
		return nil, errors.Join(err, c.Delete(ctx, DeleteOptions{Force: true}))
	}
	return c, nil
}

func (o *CreateOptions) ends(terminal bool) ends {
	return ends{
		stdin: o.Stdin, stdout: o.Stdout, stderr: o.Stderr, pipes: o.Pipes, terminal: terminal,
		consoleSocket: o.ConsoleSocket, consoleRequired: o.ConsoleRequired, pidfdSocket: o.PidfdSocket, pidFile: o.PidFile,
	}
}

// loadConfig reads and checks the bundle's configuration.
func loadConfig(o CreateOptions) (*config.Config, error) {
	bundle, err := bundlePath(o.Bundle)
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

// readSpec reads a configuration, relative to the bundle.
func readSpec(bundle, name string) (*specs.Spec, error) {
	if name == "" {
		name = "config.json"
	}
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(bundle, name)
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("bundle %q: JSON specification file %s not found (name the bundle with --bundle, or write one with \"berth spec\")", bundle, name)
	}
	if err != nil {
		return nil, fmt.Errorf("read bundle: %w", err)
	}
	defer f.Close()
	spec, err := specconv.Load(f)
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

// bundlePath makes the path absolute and resolves links, as the kernel would
// name the directory.
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

// Run creates a container and starts it, without the detour by which another
// process could. When it fails nothing is left; its errors are those of Create
// and of Container.Start.
func (r *Runtime) Run(ctx context.Context, id string, o CreateOptions) (*Container, error) {
	o.Attached = true
	c, err := r.Create(ctx, id, o)
	if err != nil {
		return nil, err
	}
	if err := c.Start(ctx); err != nil {
		return nil, errors.Join(err, c.Delete(ctx, DeleteOptions{Force: true}))
	}
	return c, nil
}
