package setup

import (
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// errIsDirectory is an error of process.args[0]. Engines match its text and that of
// exec.ErrNotFound (Docker maps them to the exit codes 126 and 127).
var errIsDirectory = fmt.Errorf("is a directory: %w", unix.EACCES)

// candidate is a path that may be the program, with the results of its checks.
type candidate struct {
	path   string
	access *stub.Value
	stat   *stub.Stat
	found  *stub.Value
}

// err returns why the candidate is not the program; nil if it is.
func (c *candidate) err() error {
	found, access := c.found.Err(), c.access.Err()
	switch {
	case found != nil:
		return found
	case c.stat.Mode()&unix.S_IFMT == unix.S_IFDIR:
		return errIsDirectory
	}
	return access
}

// skipped reports whether the search in PATH continues after an error, as in execvp(3):
// the candidate does not exist, or the program's user may not execute it.
func skipped(err error) bool {
	return oneOf(err, unix.ENOENT, unix.ENOTDIR, unix.EACCES, unix.ELOOP, unix.ENAMETOOLONG, unix.ESTALE, unix.ENODEV, unix.ETIMEDOUT)
}

// oneOf reports whether an error is one of the errnos.
func oneOf(err error, errnos ...unix.Errno) bool {
	return slices.ContainsFunc(errnos, func(e unix.Errno) bool { return errors.Is(err, e) })
}

// findProgram looks process.args[0] up as execvp(3) does: in the PATH of process.env,
// unless the name has a slash. It has no default PATH.
func findProgram(r *run) error {
	name := r.cfg.Process.Args[0]
	places, rest := []string{name}, 0
	if !strings.Contains(name, "/") {
		places, rest = searchPath(name, r.cfg.Process.Env)
	}
	candidates := make([]candidate, len(places))
	for i, path := range places {
		candidates[i].check(r.stub, path)
	}
	r.stub.Check(func() (err error) {
		r.program, err = choose(name, candidates)
		if rest > 0 && errors.Is(err, exec.ErrNotFound) {
			err = fmt.Errorf("%w in the first %d directories; %d more are not searched", err, len(places), rest)
		}
		return err
	})
	return nil
}

// check queues the calls that find out whether path is a program.
func (c *candidate) check(p *stub.Proc, path string) {
	cwd := stub.Num(unix.AT_FDCWD)
	c.path = path
	c.stat, c.found = p.Statx(cwd, path, 0)
	c.found.Checked()                                                        // choose names the errnos
	c.access = p.Faccessat2(cwd, path, unix.X_OK, unix.AT_EACCESS).Checked() // choose names the errnos
}

// choose returns the path of the first candidate that is a program.
func choose(name string, candidates []candidate) (string, error) {
	errs := make([]error, len(candidates))
	for i := range candidates {
		errs[i] = candidates[i].err()
	}
	for i, err := range errs {
		switch path := candidates[i].path; {
		case err == nil:
			return path, nil
		case path == name:
			return "", fmt.Errorf("exec %q: %w", name, err)
		case !skipped(err):
			return "", fmt.Errorf("exec %q: look for it at %q: %w", name, path, err)
		}
	}
	return "", fmt.Errorf("exec %q: %w", name, exec.ErrNotFound)
}

// placesMost is the number of directories of PATH that are searched: all of a variable that
// execve(2) accepts, of 32 pages. A config.json could list 16 million, and each takes the
// memory of two calls.
const placesMost = 32 * 4096

// searchPath returns the path of name in each of the first placesMost directories of PATH,
// and the number of the other directories. No directory has a name of more than NAME_MAX.
func searchPath(name string, env []string) (places []string, rest int) {
	if len(name) > unix.NAME_MAX {
		return nil, 0
	}
	for _, e := range env {
		value, ok := strings.CutPrefix(e, "PATH=")
		if !ok {
			continue
		}
		for dir := range strings.SplitSeq(value, ":") {
			if len(places) == placesMost {
				rest++
				continue
			}
			if dir == "" {
				dir = "."
			}
			places = append(places, strings.TrimSuffix(dir, "/")+"/"+name)
		}
	}
	return places, rest
}

// executeProgram executes the program in the stub.
func executeProgram(r *run) error {
	path, args, env := r.launch.Program, r.cfg.Process.Args, r.programEnv()
	r.stub.Label("")
	r.stub.Execve(path, args, env)
	failed := r.flush()
	err := execError(failed)
	var field *config.FieldError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &field): // a call before execve failed
		return err
	}
	remedy := remedyExec(execErrno(failed), r.cfg.Seccomp != nil)
	return argumentsError(fmt.Errorf("exec %q: %w%s", path, err, remedy), args, env)
}

// remedyExec explains why execve failed for a program that exists and is executable.
func remedyExec(errno unix.Errno, filtered bool) string {
	switch errno {
	case unix.ENOENT:
		return " (the file exists: the interpreter that its \"#!\" line or ELF header names does not)"
	case unix.ENOEXEC:
		return " (neither a program for this architecture nor a script with a \"#!\" line)"
	case unix.EPERM, unix.ENOSYS:
		if filtered {
			return " (linux.seccomp must allow execve)"
		}
	}
	return ""
}

// execErrno returns the errno of execve, if that is what a batch failed with; else 0.
func execErrno(err error) unix.Errno {
	var call *stub.Error
	if errors.As(err, &call) && call.Call == "execve" {
		return call.Errno
	}
	return 0
}

// execError returns the error of a batch that ends with execve: the errno of execve,
// or the explained error of the filter.
func execError(err error) error {
	if errno := execErrno(err); errno != 0 {
		return errno
	}
	if filter := filterError(err); filter != nil {
		return filter
	}
	return err
}
