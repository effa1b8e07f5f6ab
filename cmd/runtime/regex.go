package main

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"

	"github.com/urfave/cli/v3"

	ociruntime "github.com/berth-oci/berth/runtime"
)

// regexFlag lets a command work on many containers.
func regexFlag() cli.Flag {
	return &cli.BoolFlag{Name: "regex", Aliases: []string{"r"}, Usage: "take ID as a regular expression that selects containers"}
}

// eachContainer calls do for the container that the first argument names; with --regex,
// for all that it matches. It continues after an error and returns all errors.
func (a *app) eachContainer(cmd *cli.Command, do func(*ociruntime.Container) error) error {
	if !cmd.Bool("regex") {
		c, err := a.container(cmd)
		if err != nil {
			return err
		}
		return do(c)
	}
	pattern, err := regexp.Compile(cmd.Args().First())
	if err != nil {
		return fmt.Errorf("--regex: %w", err)
	}
	rt, err := a.runtime(cmd)
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
