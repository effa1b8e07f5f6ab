package setup

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// Errors of process.args[0], whose texts engines match (Docker makes 126 or
// 127 of them).
var (
	errNotInPath   = errors.New("executable file not found in $PATH")
	errIsDirectory = errors.New("is a directory: permission denied")
)

// candidate is a place where the program may be.
type candidate struct {
	path   string
	access *stub.Value
	stat   *stub.Stat
	found  *stub.Value
}

// err returns why the candidate is not the program, nil if it is.
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

// passed lists the errors with which the search in PATH goes on, as execvp(3)
// has it: the candidate does not exist, or not for the program's user.
var passed = [...]error{
	unix.ENOENT, unix.ENOTDIR, unix.EACCES, unix.ELOOP, unix.ENAMETOOLONG, unix.ESTALE, unix.ENODEV, unix.ETIMEDOUT, errIsDirectory,
}

// findProgram looks process.args[0] up as execvp(3) would: in the PATH of the
// program's environment, unless it has a slash. There is no default PATH.
func findProgram(r *run) error {
	name := r.cfg.Process.Args[0]
	places := []string{name}
	if !strings.Contains(name, "/") {
		places = searchPath(name, r.cfg.Process.Env)
	}
	candidates := make([]candidate, len(places))
	for i, path := range places {
		candidates[i].ask(r.stub, path)
	}
	r.stub.Check(func() (err error) {
		r.program, err = choose(name, candidates)
		return err
	})
	return nil
}

// ask queues the calls that tell whether path is a program.
func (c *candidate) ask(p *stub.Proc, path string) {
	cwd := stub.Num(unix.AT_FDCWD)
	c.path = path
	c.stat, c.found = p.Statx(cwd, path, 0)
	c.found.Checked()                                                        // choose names the errnos
	c.access = p.Faccessat2(cwd, path, unix.X_OK, unix.AT_EACCESS).Checked() // choose names the errnos
}

// choose gives the path of the first candidate that is a program.
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
		case !slices.ContainsFunc(passed[:], func(p error) bool { return errors.Is(err, p) }):
			return "", fmt.Errorf("exec %q: look for it at %q: %w", name, path, err)
		}
	}
	return "", fmt.Errorf("exec %q: %w", name, errNotInPath)
}

// searchPath gives the paths that name can have according to PATH.
func searchPath(name string, env []string) []string {
	var places []string
	for _, e := range env {
		value, ok := strings.CutPrefix(e, "PATH=")
		if !ok {
			continue
		}
		for dir := range strings.SplitSeq(value, ":") {
			if dir == "" {
				dir = "."
			}
			places = append(places, strings.TrimSuffix(dir, "/")+"/"+name)
		}
	}
	return places
}

// executeProgram lets the stub become the program.
func executeProgram(r *run) error {
	path, args, env := r.launch.Program, r.cfg.Process.Args, r.programEnv()
	r.stub.Label("")
	r.stub.Execve(path, args, env)
	err := execError(r.flush())
	var field *config.FieldError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &field): // it did not come to the program
		return err
	}
	return argumentsError(fmt.Errorf("exec %q: %w%s", path, err, remedyExec(err)), args, env)
}

// remedyExec returns what may be wrong with a program that exists and may be
// executed.
func remedyExec(err error) string {
	switch {
	case errors.Is(err, unix.ENOENT):
		return " (the file exists: the interpreter that its \"#!\" line or ELF header names does not)"
	case errors.Is(err, unix.ENOEXEC):
		return " (neither a program for this architecture nor a script with a \"#!\" line)"
	}
	return ""
}

// execError gives the kernel's answer to a batch that ends with execve.
func execError(err error) error {
	var call *stub.Error
	if errors.As(err, &call) && call.Call == "execve" && call.Errno != 0 {
		return call.Errno
	}
	if filter := filterError(err); filter != nil {
		return filter
	}
	return err
}
