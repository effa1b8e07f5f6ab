package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"

	"github.com/berth-oci/berth/internal/codec"
	ociruntime "github.com/berth-oci/berth/runtime"
)

func (a *app) stateCommand() command {
	return command{
		usage: "print the state of a container",
		args:  "ID",
		run: func(_ context.Context, l *line) error {
			if err := exactArgs(l, 1); err != nil {
				return err
			}
			c, err := a.container(l)
			if err != nil {
				return err
			}
			state, err := c.State()
			if err != nil {
				return err
			}
			return printState(l.out, state)
		},
	}
}

// printState prints what json.MarshalIndent returns.
func printState(w io.Writer, state *ociruntime.State) error {
	text, err := codec.Marshal(state, encodeState)
	if err != nil {
		return err
	}
	var lines bytes.Buffer
	if err := json.Indent(&lines, text, "", "  "); err != nil {
		return err
	}
	_, err = w.Write(lines.Bytes())
	return err
}
