package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/libcontainer/capabilities"
	ociruntime "github.com/berth-oci/berth/runtime"
	"github.com/berth-oci/berth/specconv"
)

// execFailure is an error of exec, with an exit code that few programs use.
type execFailure struct{ error }

func (e execFailure) Unwrap() error { return e.error }

func (a *app) execCommand() command {
	return command{
		usage:     "execute a process in a created or running container",
		args:      "ID [--] COMMAND [ARG...] | --process FILE ID",
		stopAfter: 1, // flags after the ID belong to the process
		flags: []flag{
			{name: "process", short: "p", usage: "take the process from `FILE`, a process object of config.json, instead of from a command and its flags"},
			{name: "cwd", usage: "run in the directory `PATH` of the container"},
			{name: "env", short: "e", kind: texts, usage: "add `NAME=VALUE` to the environment; can be repeated"},
			{name: "tty", short: "t", kind: truth, usage: "allocate a terminal"},
			{name: "user", short: "u", usage: "run as `UID[:GID]`"},
			{name: "additional-gids", short: "g", kind: numbers, usage: "add the group `GID`; can be repeated"},
			{name: "cap", short: "c", kind: texts, usage: "add `CAPABILITY`; can be repeated"},
			{name: "no-new-privs", kind: truth, usage: "set no_new_privs: no program can raise the privileges of the process"},
			{name: "apparmor", usage: "confine the process by the AppArmor `PROFILE`"},
			{name: "process-label", usage: "run with the SELinux `LABEL`"},
			{name: "detach", short: "d", kind: truth, usage: "return when the process is started"},
			{name: "console-socket", usage: "send the terminal to the unix socket `PATH`"},
			{name: "pidfd-socket", usage: "send a pidfd of the process to the unix socket `PATH`"},
			{name: "pid-file", usage: "write the process ID to `FILE`"},
			{name: "preserve-fds", kind: number, usage: "pass on `N` descriptors, from 3"},
			{name: "cgroup", kind: texts, usage: "run in the cgroup `[CONTROLLER,...:]PATH` below the container's; can be repeated with controllers (cgroup v1)"},
			{name: "ignore-paused", kind: truth, usage: "execute in a paused container, too; the process starts when it is resumed"},
			{name: "no-subreaper", kind: truth, hidden: true, usage: "exec never becomes one"},
		},
		run: func(ctx context.Context, l *line) error {
			if len(l.args) < 1 {
				return wrongArgs(l, "a minimum of", 1)
			}
			err := a.exec(ctx, l)
			var exit exitCode
			if err == nil || errors.As(err, &exit) {
				return err
			}
			return execFailure{err}
		},
	}
}

func (a *app) exec(ctx context.Context, l *line) error {
	c, err := a.container(l)
	if err != nil {
		return err
	}
	o, err := a.execOptions(l, c)
	if err != nil {
		return err
	}
	if l.truth("detach") {
		o.ConsoleRequired = true
		_, err := c.Exec(ctx, o)
		return err
	}
	if o.ConsoleSocket != "" {
		return errNotDetached
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
	fg, err := a.newForeground()
	if err != nil {
		return err
	}
	startCtx, started := fg.start.begin(ctx)
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
func (a *app) execOptions(l *line, c *ociruntime.Container) (ociruntime.ExecOptions, error) {
	files, err := ociruntime.PreservedFiles(l.number("preserve-fds"))
	if err != nil {
		return ociruntime.ExecOptions{}, err
	}
	cgroups, err := parseCgroups(l.texts("cgroup"))
	if err != nil {
		return ociruntime.ExecOptions{}, err
	}
	process, err := a.execProcess(l, c)
	return ociruntime.ExecOptions{
		Process:       process,
		ConsoleSocket: l.text("console-socket"),
		PidFile:       l.text("pid-file"),
		PidfdSocket:   l.text("pidfd-socket"),
		SubCgroups:    cgroups,
		IgnorePaused:  l.truth("ignore-paused"),
		MayBlock:      !l.truth("ignore-paused"),
		Stdin:         os.Stdin,
		Stdout:        os.Stdout,
		Stderr:        os.Stderr,
		ExtraFiles:    files,
	}, err
}

// execProcess returns the process from the file or, without a file, from the flags.
func (a *app) execProcess(l *line, c *ociruntime.Container) (*specs.Process, error) {
	if path := l.text("process"); path != "" {
		return readProcess(path)
	}
	args := l.args[1:]
	if len(args) == 0 {
		return nil, errors.New("exec args cannot be empty (name a command after the container's ID, or a file with --process)")
	}
	p, err := c.NewProcess(args...)
	if err != nil {
		return nil, err
	}
	p.Terminal = l.truth("tty")
	p.Env = append(p.Env[:len(p.Env):len(p.Env)], l.texts("env")...)
	if l.isSet("cwd") {
		p.Cwd = l.text("cwd")
	}
	if l.isSet("no-new-privs") {
		p.NoNewPrivileges = l.truth("no-new-privs")
	}
	p.ApparmorProfile, p.SelinuxLabel = l.text("apparmor"), l.text("process-label")
	for _, warning := range addCapabilities(p.Capabilities, l.texts("cap")) {
		a.log.Warn(warning)
	}
	return p, setUser(&p.User, l.text("user"), l.numbers("additional-gids"))
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
	f, err := sys.OpenFile(path, unix.O_RDONLY, 0)
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
