package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/berth-oci/berth/libcontainer"
	ociruntime "github.com/berth-oci/berth/runtime"
)

func (a *app) listCommand() *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "list the containers of the state root",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "format", Aliases: []string{"f"}, Value: "table", Usage: "print this `FORMAT`: table or json"},
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "print only IDs"},
		},
		Action: func(_ context.Context, cmd *cli.Command) error {
			if err := exactArgs(cmd, 0); err != nil {
				return err
			}
			if err := checkFormat(cmd.String("format")); err != nil {
				return err
			}
			states, err := a.states(cmd)
			if err != nil {
				return err
			}
			return printList(cmd.Root().Writer, states, cmd.String("format"), cmd.Bool("quiet"))
		},
	}
}

// states returns the state of each container. It logs a container that cannot be
// loaded, and goes on.
func (a *app) states(cmd *cli.Command) ([]*ociruntime.State, error) {
	rt, err := a.runtime(cmd)
	if err != nil {
		return nil, err
	}
	entries, err := rt.List()
	if errors.Is(err, fs.ErrNotExist) && !cmd.IsSet("root") {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var states []*ociruntime.State
	for _, e := range entries {
		var state *ociruntime.State
		if e.Container != nil && (e.Err == nil || errors.Is(e.Err, libcontainer.ErrNotOwner)) {
			state, e.Err = e.Container.State()
		}
		if e.Err != nil {
			fmt.Fprintf(os.Stderr, "load container %s: %s\n", e.ID, oneLine(e.Err))
			continue
		}
		state.Owner = ownerName(e.UID)
		states = append(states, state)
	}
	return states, nil
}

// checkFormat refuses an unknown value of --format.
func checkFormat(format string) error {
	if format != "table" && format != "json" {
		return fmt.Errorf("invalid format option: %q (want table or json)", format)
	}
	return nil
}

func ownerName(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	u, err := user.LookupId(id)
	if err != nil {
		return "#" + id
	}
	return u.Username
}

func printList(w io.Writer, states []*ociruntime.State, format string, quiet bool) error {
	switch {
	case quiet:
		for _, s := range states {
			if _, err := fmt.Fprintln(w, s.ID); err != nil {
				return err
			}
		}
		return nil
	case format == "json":
		return json.NewEncoder(w).Encode(states)
	}
	t := tabwriter.NewWriter(w, 12, 1, 3, ' ', 0)
	fmt.Fprint(t, "ID\tPID\tSTATUS\tBUNDLE\tCREATED\tOWNER\n")
	for _, s := range states {
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%s\t%s\n", s.ID, s.Pid, s.Status, s.Bundle, s.Created.Format(time.RFC3339Nano), s.Owner)
	}
	return t.Flush()
}
