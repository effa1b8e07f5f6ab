package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/urfave/cli/v3"
)

var update = flag.Bool("update", false, "write docs/man/berth.8")

// The man page consists of a frame, written by hand, and the definitions of commands
// and flags.
const (
	manFrame = "../../docs/man/berth.8.in"
	manPage  = "../../docs/man/berth.8"
)

func TestManualPage(t *testing.T) {
	frame, err := os.ReadFile(manFrame)
	if err != nil {
		t.Fatal(err)
	}
	root := (&app{}).command()
	var commands strings.Builder
	for _, c := range root.Commands {
		manCommand(&commands, c)
	}
	page := strings.NewReplacer(
		"@COMMANDS@\n", commands.String(),
		"@OPTIONS@\n", manFlags(root.Flags),
	).Replace(string(frame))
	if *update {
		if err := os.WriteFile(manPage, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(manPage)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != page {
		t.Error("docs/man/berth.8 is not what the commands are: run make generate")
	}
}

// manCommand writes the section of a command.
func manCommand(out *strings.Builder, c *cli.Command) {
	if c.Hidden {
		return
	}
	options := ""
	if strings.Contains(manFlags(c.Flags), ".TP") {
		options = " [OPTION...]"
	}
	fmt.Fprintf(out, ".SS %s\n", roff(strings.TrimSpace("berth "+c.Name+options+" "+c.ArgsUsage)))
	out.WriteString(sentence(c.Usage) + "\n")
	if c.Description != "" {
		out.WriteString(".PP\n" + roff(c.Description) + "\n")
	}
	out.WriteString(manFlags(c.Flags))
}

// manFlags writes the list of flags that are not hidden.
func manFlags(flags []cli.Flag) string {
	var out strings.Builder
	for _, f := range flags {
		doc, ok := f.(cli.DocGenerationFlag)
		if hidden, can := f.(cli.VisibleFlag); !ok || can && !hidden.IsVisible() {
			continue
		}
		value, text := placeholder(doc)
		var names []string
		for _, name := range f.Names() {
			dashes := "--"
			if len(name) == 1 {
				dashes = "-"
			}
			names = append(names, `\fB`+roff(dashes+name)+`\fR`)
		}
		out.WriteString(".TP\n" + strings.Join(names, ", ") + value + "\n" + text + "\n")
	}
	return out.String()
}

// placeholder returns the name of a flag's value, which has back quotes in the usage
// text, and the text without them.
func placeholder(doc cli.DocGenerationFlag) (value, text string) {
	usage := doc.GetUsage()
	if !doc.TakesValue() {
		return "", sentence(usage)
	}
	value = "VALUE"
	if parts := strings.Split(usage, "`"); len(parts) == 3 {
		value, usage = parts[1], strings.Join(parts, "")
	}
	if d := doc.GetDefaultText(); d != "" && !strings.Contains(usage, "default") {
		usage += " (default: " + d + ")"
	}
	return ` \fI` + roff(value) + `\fR`, sentence(usage)
}

// sentence starts a help text with a capital letter and adds a full stop.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	first := text[:1]
	if len(text) > 1 && text[1] >= 'a' && text[1] <= 'z' {
		first = strings.ToUpper(first)
	}
	return roff(first+text[1:]) + "."
}

// roff escapes characters that are special to groff(7).
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}
