package main

import (
	"context"
	"fmt"
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"

	ociruntime "github.com/berth-oci/berth/runtime"
	"github.com/berth-oci/berth/specconv"
)

func (a *app) mountsCommand() command {
	return command{
		usage: "add or remove mounts of a created or running container",
		args:  "add|remove ID FILE",
		description: "FILE, or - for standard input, has an array like mounts of config.json. " +
			"To remove mounts, their destinations suffice.",
		run: func(ctx context.Context, l *line) error {
			if err := exactArgs(l, 3); err != nil {
				return err
			}
			var change func(*ociruntime.Container, context.Context, []specs.Mount) error
			switch what := l.arg(0); what {
			case "add":
				change = (*ociruntime.Container).AddMounts
			case "remove":
				change = (*ociruntime.Container).RemoveMounts
			default:
				return fmt.Errorf("mounts %q: want add or remove", what)
			}
			list, err := readMounts(l.arg(2))
			if err != nil {
				return err
			}
			c, err := a.load(l, l.arg(1))
			if err != nil {
				return err
			}
			return change(c, ctx, list)
		},
	}
}

// readMounts reads an array of mounts.
func readMounts(path string) ([]specs.Mount, error) {
	in := os.Stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	list, err := specconv.LoadMounts(in)
	if err != nil {
		return nil, fmt.Errorf("mounts %q: %w", path, err)
	}
	return list, nil
}
