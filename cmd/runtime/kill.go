package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer"
	ociruntime "github.com/berth-oci/berth/runtime"
)

func (a *app) killCommand() command {
	return command{
		usage: "send a signal to the init of a container",
		args:  "ID [SIGNAL]",
		flags: []flag{
			{name: "all", short: "a", kind: truth, usage: "send it to all processes; ignore a container that has stopped"},
			regexFlag(),
		},
		run: func(ctx context.Context, l *line) error {
			if err := argsBetween(l, 1, 2); err != nil {
				return err
			}
			sig, err := parseSignal(l.arg(1))
			if err != nil {
				return err
			}
			return a.eachContainer(l, func(c *ociruntime.Container) error {
				kill := c.Kill
				if l.truth("all") {
					kill = c.KillAll
				}
				err := kill(ctx, sig)
				if errors.Is(err, libcontainer.ErrNotRunning) && (l.truth("all") || l.truth("regex")) {
					return nil
				}
				return err
			})
		},
	}
}

// secondName returns the signal that has this second name in signal(7).
func secondName(name string) (unix.Signal, bool) {
	switch name {
	case "IOT":
		return unix.SIGABRT, true
	case "CLD":
		return unix.SIGCHLD, true
	case "POLL":
		return unix.SIGIO, true
	case "UNUSED":
		return unix.SIGSYS, true
	}
	return 0, false
}

// Real-time signals as programs see them: the C library reserves 32 and 33.
const (
	sigRTMin = 34
	sigRTMax = 64
)

// parseSignal reads a number, or a name with or without SIG, in any case; for
// real-time signals also RTMIN, RTMIN+n, RTMAX and RTMAX-n. Empty is SIGTERM.
func parseSignal(s string) (unix.Signal, error) {
	if s == "" {
		return unix.SIGTERM, nil
	}
	if n, err := strconv.Atoi(s); err == nil {
		return unix.Signal(n), nil
	}
	name := strings.TrimPrefix(strings.ToUpper(s), "SIG")
	if second, ok := secondName(name); ok {
		return second, nil
	}
	if sig := unix.SignalNum("SIG" + name); sig != 0 {
		return sig, nil
	}
	for prefix, base := range map[string]int{"RTMIN": sigRTMin, "RTMAX": sigRTMax} {
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		offset, err := strconv.Atoi(rest)
		if rest != "" && err != nil {
			break
		}
		if n := base + offset; n >= sigRTMin && n <= sigRTMax {
			return unix.Signal(n), nil
		}
	}
	return 0, fmt.Errorf("unknown signal %q (want a name or a number of signal(7))", s)
}
