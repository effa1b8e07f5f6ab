package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/berth-oci/berth/internal/codec"
	"github.com/berth-oci/berth/libcontainer"
	ociruntime "github.com/berth-oci/berth/runtime"
)

func (a *app) listCommand() command {
	return command{
		usage: "list the containers of the state root",
		flags: []flag{
			{name: "format", short: "f", value: "table", usage: "print this `FORMAT`: table or json"},
			{name: "quiet", short: "q", kind: truth, usage: "print only IDs"},
		},
		run: func(_ context.Context, l *line) error {
			if err := exactArgs(l, 0); err != nil {
				return err
			}
			if err := checkFormat(l.text("format")); err != nil {
				return err
			}
			states, err := a.states(l)
			if err != nil {
				return err
			}
			return printList(l.out, states, l.text("format"), l.truth("quiet"))
		},
	}
}

// states returns the state of each container. It logs a container that cannot be
// loaded, and goes on.
func (a *app) states(l *line) ([]*ociruntime.State, error) {
	rt, err := a.runtime(l)
	if err != nil {
		return nil, err
	}
	entries, err := rt.List()
	if errors.Is(err, fs.ErrNotExist) && !l.isSet("root") {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var states []*ociruntime.State
	owners := map[uint32]string{}
	for _, e := range entries {
		var state *ociruntime.State
		if e.Container != nil && (e.Err == nil || errors.Is(e.Err, libcontainer.ErrNotOwner)) {
			state, e.Err = e.Container.State()
		}
		if e.Err != nil {
			fmt.Fprintf(os.Stderr, "load container %s: %s\n", e.ID, oneLine(e.Err))
			continue
		}
		if owners[e.UID] == "" {
			owners[e.UID] = ownerName(e.UID) // reads /etc/passwd
		}
		state.Owner = owners[e.UID]
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
	out := bufio.NewWriter(w) // the table writes each cell separately
	if err := writeList(out, states, format, quiet); err != nil {
		return err
	}
	return out.Flush()
}

func writeList(w io.Writer, states []*ociruntime.State, format string, quiet bool) error {
	switch {
	case quiet:
		for _, s := range states {
			fmt.Fprintln(w, s.ID)
		}
		return nil
	case format == "json":
		text, err := codec.Marshal(&states, encodeStates)
		if err == nil {
			_, err = w.Write(append(text, '\n'))
		}
		return err
	}
	t := tabwriter.NewWriter(w, 12, 1, 3, ' ', 0)
	fmt.Fprint(t, "ID\tPID\tSTATUS\tBUNDLE\tCREATED\tOWNER\n")
	for _, s := range states {
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%s\t%s\n", s.ID, s.Pid, s.Status, s.Bundle, s.Created.Format(time.RFC3339Nano), s.Owner)
	}
	return t.Flush()
}
