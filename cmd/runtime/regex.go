package main

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"

	ociruntime "github.com/berth-oci/berth/runtime"
)

// regexFlag lets a command work on many containers.
func regexFlag() flag {
	return flag{name: "regex", short: "r", kind: truth, usage: "take ID as a regular expression that selects containers"}
}

// eachContainer calls do for the container that the first argument names; with --regex,
// for all that it matches. It continues after an error and returns all errors.
func (a *app) eachContainer(l *line, do func(*ociruntime.Container) error) error {
	if !l.truth("regex") {
		c, err := a.container(l)
		if err != nil {
			return err
		}
		return do(c)
	}
	pattern, err := regexp.Compile(l.arg(0))
	if err != nil {
		return fmt.Errorf("--regex: %w", err)
	}
	rt, err := a.runtime(l)
	if err != nil {
		return err
	}
	entries, err := rt.List()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var errs []error
	for _, e := range entries {
		if !pattern.MatchString(e.ID) {
			continue
		}
		if e.Err == nil {
			e.Err = do(e.Container)
		}
		errs = append(errs, e.Err)
	}
	return errors.Join(errs...)
}
