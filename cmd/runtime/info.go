package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/berth-oci/berth/libcontainer/hostinfo"
)

// hostReport is what "info" prints.
type hostReport struct {
	Berth build `json:"berth"`
	*hostinfo.Info
}

type build struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
	Arch    string `json:"architecture"`
}

func (a *app) infoCommand() command {
	return command{
		usage: "describe the host, and what it lacks, for reports of faults",
		flags: []flag{{name: "format", short: "f", value: "text", usage: "print this `FORMAT`: text or json"}},
		run: func(ctx context.Context, l *line) error {
			if err := exactArgs(l, 0); err != nil {
				return err
			}
			format := l.text("format")
			if format != "text" && format != "json" {
				return fmt.Errorf("--format: unknown format %q: want text or json", format)
			}
			text, err := json.MarshalIndent(hostReport{
				build{version, commit, runtime.Version(), runtime.GOARCH},
				hostinfo.Collect(ctx, hostinfo.Options{SystemdCgroup: l.truth("systemd-cgroup")}),
			}, "", "  ")
			if err != nil {
				return err
			}
			if format == "text" {
				return printOutline(l.out, text)
			}
			_, err = fmt.Fprintf(l.out, "%s\n", text)
			return err
		},
	}
}

// printOutline prints a JSON object as lines "name: value", members of objects
// indented. Lists of texts take one line.
func printOutline(w io.Writer, text []byte) error {
	o := outline{dec: json.NewDecoder(bytes.NewReader(text))}
	o.dec.UseNumber()
	if err := o.value(0); err != nil {
		return err
	}
	_, err := io.WriteString(w, strings.TrimPrefix(o.out.String(), "\n")+"\n")
	return err
}

// outline converts JSON to lines.
type outline struct {
	dec *json.Decoder
	out strings.Builder
}

// value prints the next value after "name:".
func (o *outline) value(depth int) error {
	token, err := o.dec.Token()
	switch {
	case err != nil:
		return err
	case token == json.Delim('{'):
		return o.members(depth)
	case token == json.Delim('['):
		return o.items(depth)
	}
	fmt.Fprintf(&o.out, " %v", scalar(token))
	return nil
}

// members prints an object, a line for each member.
func (o *outline) members(depth int) error {
	for o.dec.More() {
		name, err := o.dec.Token()
		if err != nil {
			return err
		}
		fmt.Fprintf(&o.out, "\n%s%v:", strings.Repeat("  ", depth), name)
		if err := o.value(depth + 1); err != nil {
			return err
		}
	}
	_, err := o.dec.Token() // the end
	return err
}

// items prints a list: texts in one line, and objects in a line each, as their values.
func (o *outline) items(depth int) error {
	if !o.dec.More() {
		o.out.WriteString(" none")
	}
	for separator := " "; o.dec.More(); separator = ", " {
		var item any
		if err := o.dec.Decode(&item); err != nil {
			return err
		}
		switch item := item.(type) {
		case map[string]any:
			fmt.Fprintf(&o.out, "\n%s- %v: %v", strings.Repeat("  ", depth), item["name"], item["costs"])
		case string:
			o.out.WriteString(separator + item)
		default:
			return errors.New("print list: unknown type of item")
		}
	}
	_, err := o.dec.Token()
	return err
}

// scalar returns a text, a number or a truth as it is printed.
func scalar(token json.Token) any {
	switch token {
	case "":
		return "none"
	case true:
		return "yes"
	case false:
		return "no"
	}
	return token
}
