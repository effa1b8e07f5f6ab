package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/libcontainer"
	"github.com/berth-oci/berth/libcontainer/config"
	ociruntime "github.com/berth-oci/berth/runtime"
)

// app is one run of the program: its global flags, and where it logs.
type app struct {
	log *slog.Logger
	// logs is set if the log is a file.
	logs   bool
	format string
}

// globalFlags are accepted before every command and, unless local, after it.
var globalFlags = []flag{
	{name: "debug", kind: truth, usage: "log every step and system call"},
	{name: "log", usage: "write the log to `FILE` instead of standard error"},
	{name: "log-format", value: "text", usage: "log in this `FORMAT`: text or json"},
	{name: "root", usage: "keep the state of containers in `DIR` (default: /run/berth, or $XDG_RUNTIME_DIR/berth)"},
	{name: "systemd-cgroup", kind: truth, usage: "let systemd create the cgroups of containers, as units"},
	{name: "rootless", value: "auto", local: true, usage: "tolerate cgroups that cannot be created, if `MODE` is true; auto: as an unprivileged user"},
	{name: "criu", usage: "checkpoint and restore with the CRIU at `PATH` (default: criu in $PATH)"},
	{name: "version", short: "v", kind: truth, usage: "print the version", local: true},
}

// before opens the log, which gets all later errors. With --version it prints the
// version and exits, whatever command follows.
func (a *app) before(l *line) error {
	if l.truth("version") {
		printVersion(l.out)
		return exitCode(0)
	}
	a.format = l.text("log-format")
	if a.format == "" {
		a.format = "text"
	}
	if a.format != "text" && a.format != "json" {
		bad := a.format
		a.format = "text"
		return fmt.Errorf("invalid log-format: %s (want text or json)", bad)
	}
	out := io.Writer(os.Stderr)
	if path := l.text("log"); path != "" {
		f, err := openLog(path)
		if err != nil {
			return fmt.Errorf("--log: %w", err)
		}
		a.logs, out = true, f
	}
	level := slog.LevelInfo
	if l.truth("debug") {
		level = slog.LevelDebug
	}
	a.log = slog.New(newHandler(out, a.format, level))
	return nil
}

// report logs an error as the last record; if the log is a file, it prints the error on
// standard error too, because engines read either.
func (a *app) report(err error) {
	if a.log == nil {
		a.log = slog.New(newHandler(os.Stderr, "text", slog.LevelInfo))
	}
	msg := oneLine(err)
	a.log.Error(msg)
	if a.logs {
		fmt.Fprintln(os.Stderr, msg)
	}
}

// oneLine returns an error's text without the line breaks of errors.Join, and
// without errors that only repeat the cause of one before.
func oneLine(err error) string {
	var kept []string
	for line := range strings.SplitSeq(config.Brief(err.Error()), "\n") {
		repeats := func(before string) bool { return before == line || strings.HasSuffix(before, ": "+line) }
		if !slices.ContainsFunc(kept, repeats) {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "; ")
}

// runtime returns the library's handle for the state root, for all commands that make
// no container.
func (a *app) runtime(l *line) (*ociruntime.Runtime, error) {
	o, err := a.options(l)
	if err != nil {
		return nil, err
	}
	return ociruntime.New(o)
}

// creator is runtime for the commands that make a container.
func (a *app) creator(l *line) (*ociruntime.Runtime, error) {
	o, err := a.options(l)
	if err != nil {
		return nil, err
	}
	if auto(l.text("rootless")) {
		o.Rootless = ociruntime.Unprivileged(o.SystemdCgroup)
	}
	return ociruntime.New(o)
}

// options returns the options of the global flags. It leaves Rootless unset if that
// depends on the user: finding out takes a look into /proc.
func (a *app) options(l *line) (o ociruntime.Options, err error) {
	o = ociruntime.Options{Root: l.text("root"), SystemdCgroup: l.truth("systemd-cgroup"), Log: a.log}
	if l.isSet("root") && o.Root == "" {
		o.Root = "/" // refused
	}
	if mode := l.text("rootless"); !auto(mode) {
		if o.Rootless, err = strconv.ParseBool(mode); err != nil {
			return o, fmt.Errorf("--rootless: unknown value %q: want true, false or auto", mode)
		}
	}
	return o, nil
}

// auto reports whether a value of --rootless means: as an unprivileged user.
func auto(mode string) bool { return mode == "" || strings.EqualFold(mode, "auto") }

// container returns the container that the first argument names.
func (a *app) container(l *line) (*ociruntime.Container, error) {
	return a.load(l, l.arg(0))
}

// load returns an existing container.
func (a *app) load(l *line, id string) (*ociruntime.Container, error) {
	rt, err := a.runtime(l)
	if err != nil {
		return nil, err
	}
	c, err := rt.Load(id)
	return c, otherRoot(l, err)
}

// otherRoot adds the state root to the error that a container does not exist,
// unless the caller, as engines do, has named one that exists.
func otherRoot(l *line, err error) error {
	if !errors.Is(err, libcontainer.ErrNotExist) {
		return err
	}
	if named := l.text("root"); named != "" {
		if _, e := os.Stat(named); errors.Is(e, fs.ErrNotExist) {
			return fmt.Errorf("state root %q does not exist: %w", named, err) // engines may match the end
		}
		return err
	}
	root, e := ociruntime.DefaultRoot()
	if e != nil {
		return err
	}
	return fmt.Errorf("%w (in %s; name the state root of a container engine with --root)", err, root)
}

// printVersion prints the form that engines parse: the name, then "version X", then
// lines with a colon.
func printVersion(w io.Writer) {
	fmt.Fprintf(w, "berth version %s\n", version)
	if commit != "" {
		fmt.Fprintf(w, "commit: %s\n", commit)
	}
	fmt.Fprintf(w, "spec: %s\ngo: %s\n", specs.Version, runtime.Version())
}
