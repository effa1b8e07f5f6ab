package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/urfave/cli/v3"
	"golang.org/x/term"

	"github.com/berth-oci/berth/libcontainer/capabilities"
	ociruntime "github.com/berth-oci/berth/runtime"
	"github.com/berth-oci/berth/specconv"
)

// execFailure is an error of exec, with an exit code that few programs use.
type execFailure struct{ error }

func (e execFailure) Unwrap() error { return e.error }

func (a *app) execCommand() *cli.Command {
	id := 1 // flags after the ID belong to the process
	return &cli.Command{
		Name:                      "exec",
		Usage:                     "execute a process in a created or running container",
		ArgsUsage:                 "ID [--] COMMAND [ARG...] | --process FILE ID",
		StopOnNthArg:              &id,
		DisableSliceFlagSeparator: true,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "process", Aliases: []string{"p"}, Usage: "take the process from `FILE`, a process object of config.json, instead of from a command and its flags"},
			&cli.StringFlag{Name: "cwd", Usage: "run in the directory `PATH` of the container"},
			&cli.StringSliceFlag{Name: "env", Aliases: []string{"e"}, Usage: "add `NAME=VALUE` to the environment; can be repeated"},
			&cli.BoolFlag{Name: "tty", Aliases: []string{"t"}, Usage: "allocate a terminal"},
			&cli.StringFlag{Name: "user", Aliases: []string{"u"}, Usage: "run as `UID[:GID]`"},
			&cli.Int64SliceFlag{Name: "additional-gids", Aliases: []string{"g"}, Usage: "add the group `GID`; can be repeated"},
			&cli.StringSliceFlag{Name: "cap", Aliases: []string{"c"}, Usage: "add `CAPABILITY`; can be repeated"},
			&cli.BoolFlag{Name: "no-new-privs", Usage: "set no_new_privs: no program can raise the privileges of the process"},
			&cli.StringFlag{Name: "apparmor", Usage: "confine the process by the AppArmor `PROFILE`"},
			&cli.StringFlag{Name: "process-label", Usage: "run with the SELinux `LABEL`"},
			&cli.BoolFlag{Name: "detach", Aliases: []string{"d"}, Usage: "return when the process is started"},
			&cli.StringFlag{Name: "console-socket", Usage: "send the terminal to the unix socket `PATH`"},
			&cli.StringFlag{Name: "pidfd-socket", Usage: "send a pidfd of the process to the unix socket `PATH`"},
			&cli.StringFlag{Name: "pid-file", Usage: "write the process ID to `FILE`"},
			&cli.IntFlag{Name: "preserve-fds", Usage: "pass on `N` descriptors, from 3"},
			&cli.StringSliceFlag{Name: "cgroup", Usage: "run in the cgroup `[CONTROLLER,...:]PATH` below the container's; can be repeated with controllers (cgroup v1)"},
			&cli.BoolFlag{Name: "ignore-paused", Usage: "execute in a paused container, too; the process starts when it is resumed"},
			&cli.BoolFlag{Name: "no-subreaper", Hidden: true, Usage: "exec never becomes one"},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if cmd.NArg() < 1 {
				return wrongArgs(cmd, "a minimum of", 1)
			}
			err := a.exec(ctx, cmd)
			var exit exitCode
			if err == nil || errors.As(err, &exit) {
				return err
			}
			return execFailure{err}
		},
	}
}

func (a *app) exec(ctx context.Context, cmd *cli.Command) error {
	c, err := a.container(cmd)
	if err != nil {
		return err
	}
	o, err := a.execOptions(cmd, c)
	if err != nil {
		return err
	}
	if cmd.Bool("detach") {
		o.ConsoleRequired = true
		_, err := c.Exec(ctx, o)
		return err
	}
	if o.ConsoleSocket != "" {
		return errors.New("cannot use console socket if runtime will not detach")
	}
	return a.execForeground(ctx, c, o)
}

// execForeground executes a process, waits for it and returns its exit code.
func (a *app) execForeground(ctx context.Context, c *ociruntime.Container, o ociruntime.ExecOptions) error {
	o.Pipes = true
	if o.Process.Terminal {
		host, err := hostTerminal() // before the process starts
		if err != nil {
			return err
		}
		if o.Process.ConsoleSize == nil { // the program may ask for it at once
			o.Process.ConsoleSize = sizeOf(host)
		}
	}
	if err := ownOutput(&o.Stdout, &o.Stderr); err != nil {
		return err
	}
	fg := a.newForeground()
	startCtx, started := fg.starting(ctx)
	p, err := c.Exec(startCtx, o)
	started()
	if err != nil {
		return err
	}
	if err := fg.show(p); err != nil {
		return errors.Join(err, p.Abandon(ctx))
	}
	status, err := fg.wait(ctx, p)
	return exitOf(status, errors.Join(err, p.Close()))
}

// sizeOf returns the size of a terminal, nil if it is not set.
func sizeOf(terminal *os.File) *specs.Box {
	width, height, err := term.GetSize(int(terminal.Fd()))
	if err != nil {
		return nil
	}
	return &specs.Box{Width: uint(width), Height: uint(height)}
}

// execOptions converts the flags. The process gets this process's standard input and
// output.
func (a *app) execOptions(cmd *cli.Command, c *ociruntime.Container) (ociruntime.ExecOptions, error) {
	files, err := ociruntime.PreservedFiles(cmd.Int("preserve-fds"))
	if err != nil {
		return ociruntime.ExecOptions{}, err
	}
	cgroups, err := parseCgroups(cmd.StringSlice("cgroup"))
	if err != nil {
		return ociruntime.ExecOptions{}, err
	}
	process, err := a.execProcess(cmd, c)
	return ociruntime.ExecOptions{
		Process:       process,
		ConsoleSocket: cmd.String("console-socket"),
		PidFile:       cmd.String("pid-file"),
		PidfdSocket:   cmd.String("pidfd-socket"),
		SubCgroups:    cgroups,
		IgnorePaused:  cmd.Bool("ignore-paused"),
		Stdin:         os.Stdin,
		Stdout:        os.Stdout,
		Stderr:        os.Stderr,
		ExtraFiles:    files,
	}, err
}

// execProcess returns the process from the file or, without a file, from the flags.
func (a *app) execProcess(cmd *cli.Command, c *ociruntime.Container) (*specs.Process, error) {
	if path := cmd.String("process"); path != "" {
		return readProcess(path)
	}
	args := cmd.Args().Tail()
	if len(args) == 0 {
		return nil, errors.New("exec args cannot be empty (name a command after the container's ID, or a file with --process)")
	}
	p, err := c.NewProcess(args...)
	if err != nil {
		return nil, err
	}
	p.Terminal = cmd.Bool("tty")
	p.Env = append(p.Env[:len(p.Env):len(p.Env)], cmd.StringSlice("env")...)
	if cmd.IsSet("cwd") {
		p.Cwd = cmd.String("cwd")
	}
	if cmd.IsSet("no-new-privs") {
		p.NoNewPrivileges = cmd.Bool("no-new-privs")
	}
	p.ApparmorProfile, p.SelinuxLabel = cmd.String("apparmor"), cmd.String("process-label")
	for _, warning := range addCapabilities(p.Capabilities, cmd.StringSlice("cap")) {
		a.log.Warn(warning)
	}
	return p, setUser(&p.User, cmd.String("user"), cmd.Int64Slice("additional-gids"))
}

// parseCgroups reads the values of --cgroup: paths by controller.
func parseCgroups(values []string) (map[string]string, error) {
	cgroups := make(map[string]string, len(values))
	for _, value := range values {
		controllers, path, found := strings.Cut(value, ":")
		if !found {
			controllers, path = "", value
		}
		if !found && len(values) > 1 {
			return nil, fmt.Errorf("--cgroup %s: missing <controller>: prefix, as there are several", value)
		}
		for controller := range strings.SplitSeq(controllers, ",") {
			if found && controller == "" {
				return nil, fmt.Errorf("--cgroup %s: empty <controller> prefix", value)
			}
			if _, twice := cgroups[controller]; twice {
				return nil, fmt.Errorf("--cgroup %s: controller %s specified multiple times", value, controller)
			}
			cgroups[controller] = path
		}
	}
	return cgroups, nil
}

// readProcess reads a process object.
func readProcess(path string) (*specs.Process, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--process: %w", err)
	}
	defer f.Close()
	p, err := specconv.LoadProcess(f)
	if err != nil {
		return nil, fmt.Errorf("--process %q: %w", path, err)
	}
	return p, nil
}

// addCapabilities adds capabilities to the bounding, effective and permitted sets; to
// the ambient set only if the process has inheritable ones. It returns warnings about
// ignored names.
func addCapabilities(caps *specs.LinuxCapabilities, more []string) (warnings []string) {
	mask, unknown := capabilities.Mask(more)
	for _, u := range unknown {
		warnings = append(warnings, "--cap: "+u.Warning())
	}
	more = capabilities.List(mask)
	caps.Bounding = append(caps.Bounding, more...)
	caps.Effective = append(caps.Effective, more...)
	caps.Permitted = append(caps.Permitted, more...)
	if len(caps.Inheritable) > 0 {
		caps.Ambient = append(caps.Ambient, more...)
	}
	return warnings
}

// setUser sets the IDs from --user and adds groups.
func setUser(user *specs.User, ids string, groups []int64) error {
	if ids != "" {
		uid, gid, both := strings.Cut(ids, ":")
		id, err := strconv.ParseUint(uid, 10, 32)
		if err != nil {
			return fmt.Errorf("--user: bad uid: %q (want a number up to 4294967295; names are not looked up)", uid)
		}
		user.UID = uint32(id)
		if both {
			if id, err = strconv.ParseUint(gid, 10, 32); err != nil {
				return fmt.Errorf("--user: bad gid: %q (want a number up to 4294967295; names are not looked up)", gid)
			}
			user.GID = uint32(id)
		}
	}
	all := user.AdditionalGids[:len(user.AdditionalGids):len(user.AdditionalGids)]
	for _, gid := range groups {
		if gid < 0 || gid >= 1<<32-1 {
			return fmt.Errorf("--additional-gids: %d is not a group id", gid)
		}
		all = append(all, uint32(gid))
	}
	user.AdditionalGids = all
	return nil
}
