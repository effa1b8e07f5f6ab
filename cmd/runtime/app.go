package main

import (
	"context"
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
	"github.com/urfave/cli/v3"

	"github.com/berth-oci/berth/libcontainer"
	ociruntime "github.com/berth-oci/berth/runtime"
)

// app is one run of the program: its global flags, and where it logs.
type app struct {
	log *slog.Logger
	// logs is set if the log is a file.
	logs   bool
	format string
}

// flags returns the global flags.
func (a *app) flags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "debug", Usage: "log every step and system call"},
		&cli.StringFlag{Name: "log", Usage: "write the log to `FILE` instead of standard error"},
		&cli.StringFlag{Name: "log-format", Value: "text", Usage: "log in this `FORMAT`: text or json"},
		&cli.StringFlag{Name: "root", Usage: "keep the state of containers in `DIR` (default: /run/berth, or $XDG_RUNTIME_DIR/berth)"},
		&cli.BoolFlag{Name: "systemd-cgroup", Usage: "let systemd create the cgroups of containers, as units"},
		&cli.StringFlag{Name: "rootless", Value: "auto", Local: true, Usage: "tolerate cgroups that cannot be created, if `MODE` is true; auto: as an unprivileged user"},
		&cli.BoolFlag{Name: "version", Aliases: []string{"v"}, Usage: "print the version", Local: true},
	}
}

// before opens the log, which gets all later errors. With --version it prints the
// version and exits, whatever command follows.
func (a *app) before(ctx context.Context, cmd *cli.Command) (context.Context, error) {
	if cmd.Bool("version") {
		printVersion(cmd.Root().Writer)
		return ctx, exitCode(0)
	}
	a.format = cmd.String("log-format")
	if a.format == "" {
		a.format = "text"
	}
	if a.format != "text" && a.format != "json" {
		bad := a.format
		a.format = "text"
		return ctx, fmt.Errorf("invalid log-format: %s (want text or json)", bad)
	}
	out := io.Writer(os.Stderr)
	if path := cmd.String("log"); path != "" {
		f, err := openLog(path)
		if err != nil {
			return ctx, fmt.Errorf("--log: %w", err)
		}
		a.logs, out = true, f
	}
	level := slog.LevelInfo
	if cmd.Bool("debug") {
		level = slog.LevelDebug
	}
	a.log = slog.New(newHandler(out, a.format, level))
	return ctx, nil
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
	for line := range strings.SplitSeq(err.Error(), "\n") {
		repeats := func(before string) bool { return before == line || strings.HasSuffix(before, ": "+line) }
		if !slices.ContainsFunc(kept, repeats) {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "; ")
}

// runtime returns the library's handle for the state root.
func (a *app) runtime(cmd *cli.Command) (*ociruntime.Runtime, error) {
	rootless, err := rootlessMode(cmd.String("rootless"), cmd.Bool("systemd-cgroup"))
	if err != nil {
		return nil, err
	}
	root := cmd.String("root")
	if cmd.IsSet("root") && root == "" {
		root = "/" // refused
	}
	return ociruntime.New(ociruntime.Options{
		Root: root, Rootless: rootless, SystemdCgroup: cmd.Bool("systemd-cgroup"), Log: a.log,
	})
}

// container returns the container that the first argument names.
func (a *app) container(cmd *cli.Command) (*ociruntime.Container, error) {
	return a.load(cmd, cmd.Args().First())
}

// load returns an existing container.
func (a *app) load(cmd *cli.Command, id string) (*ociruntime.Container, error) {
	rt, err := a.runtime(cmd)
	if err != nil {
		return nil, err
	}
	c, err := rt.Load(id)
	return c, otherRoot(cmd, err)
}

// otherRoot adds the state root to the error that a container does not exist,
// unless the caller, as engines do, has named one that exists.
func otherRoot(cmd *cli.Command, err error) error {
	if !errors.Is(err, libcontainer.ErrNotExist) {
		return err
	}
	if named := cmd.String("root"); named != "" {
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

func rootlessMode(value string, systemdCgroup bool) (bool, error) {
	if value == "" || strings.EqualFold(value, "auto") {
		return ociruntime.Unprivileged(systemdCgroup), nil
	}
	b, err := strconv.ParseBool(value)
	if err != nil {
		return false, fmt.Errorf("--rootless: unknown value %q: want true, false or auto", value)
	}
	return b, nil
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
