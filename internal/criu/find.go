package criu

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/berth-oci/berth/libcontainer/stub"
)

// Required is the oldest CRIU that has all options of this package. An older one ignores
// the others silently.
var Required = Version{Major: 3, Minor: 17}

// Find returns the path of CRIU: that of the argument or, if it is empty, of "criu" in
// $PATH. It checks the version. Dir is for stub.Options.
func Find(ctx context.Context, path, dir string) (string, error) {
	found, err := exec.LookPath(orDefault(path))
	if err != nil {
		cause := err
		if errors.Is(err, exec.ErrNotFound) {
			cause = fmt.Errorf("%q is not in $PATH", orDefault(path))
		}
		return "", fmt.Errorf("needs CRIU %s or later: %w (install it, or set its path)", Required, cause)
	}
	v, err := ask(ctx, found, dir)
	if err != nil {
		return "", fmt.Errorf("needs CRIU %s or later, but %q does not answer: %w", Required, found, err)
	}
	if v.less(Required) {
		return "", fmt.Errorf("needs CRIU %s or later: %q is %s", Required, found, v)
	}
	return found, nil
}

func orDefault(path string) string {
	if path == "" {
		return "criu"
	}
	return path
}

// answerTime is how long CRIU may take to say its version: a program that is no CRIU may
// never answer, and the caller holds a container's lock.
const answerTime = 10 * time.Second

// ask returns the version of the CRIU at path.
func ask(ctx context.Context, path, dir string) (Version, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	c, err := NewConn()
	if err != nil {
		return Version{}, err
	}
	defer c.Close()
	child, err := stub.Start(ctx, stub.Options{Files: c.Files(), Dir: dir})
	if err != nil {
		return Version{}, err
	}
	stop := context.AfterFunc(ctx, func() { child.Kill() }) //nolint:errcheck // End kills it, too
	err = c.Execute(child, path)
	var v Version
	if err == nil {
		v, err = c.version()
	}
	stop()
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	return v, errors.Join(err, child.End())
}
