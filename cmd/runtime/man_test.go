package main

import (
	"errors"
	goflag "flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/urfave/cli/v3"
)

var update = goflag.Bool("update", false, "write docs/man and testdata/commandlines.golden")

// The man pages are in this directory: berth.8, and one for each command. A page
// consists of what the definitions of commands and flags have, and of a frame that is
// written by hand: berth.8.in, and for most commands berth-COMMAND.8.in with the
// sections after the options.
const manDir = "../../docs/man/"

func TestManualPages(t *testing.T) {
	root := definitionWithCompletion(t)
	pages := map[string]string{"berth.8": overviewPage(t, root)}
	for _, c := range root.Commands {
		if !c.Hidden && c.Name != "help" {
			pages["berth-"+c.Name+".8"] = commandPage(t, c)
		}
	}
	if *update {
		for name, page := range pages {
			if err := os.WriteFile(manDir+name, []byte(page), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	compareManDir(t, pages)
}

// compareManDir compares the files of docs/man with the pages. It fails for a file of
// a command that does not exist.
func compareManDir(t *testing.T, pages map[string]string) {
	t.Helper()
	files, err := os.ReadDir(manDir)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, file := range files {
		name := strings.TrimSuffix(file.Name(), ".in")
		page, ok := pages[name]
		if !ok {
			t.Errorf("docs/man/%s is not of a command", file.Name())
		}
		if name != file.Name() {
			continue
		}
		found[name] = true
		have, err := os.ReadFile(manDir + name)
		if err != nil {
			t.Fatal(err)
		}
		if ok && string(have) != page {
			t.Errorf("docs/man/%s is not what the command is: run make generate", name)
		}
	}
	for name := range pages {
		if !found[name] {
			t.Errorf("docs/man/%s does not exist: run make generate", name)
		}
	}
}

// definitionWithCompletion returns the definition with the command that the module
// adds when it reads a line.
func definitionWithCompletion(t *testing.T) *cli.Command {
	t.Helper()
	root := (&app{}).definition()
	root.Writer = io.Discard
	if err := root.Run(t.Context(), []string{"berth", "help"}); err != nil {
		t.Fatal(err)
	}
	return root
}

// handwritten returns the text of a frame, and "" if it does not exist.
func handwritten(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(manDir + name + ".in")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return string(text)
}

// overviewPage returns berth.8, with one line for each command.
func overviewPage(t *testing.T, root *cli.Command) string {
	var list strings.Builder
	for _, c := range root.Commands {
		if !c.Hidden && c.Name != "help" {
			fmt.Fprintf(&list, ".TP\n.BR berth\\-%s (8)\n%s\n", roff(c.Name), sentence(summary(c)))
		}
	}
	return strings.NewReplacer(
		"@COMMANDS@\n", list.String(),
		"@OPTIONS@\n", manFlags((&app{}).definition().Flags),
	).Replace(handwritten(t, "berth.8"))
}

// summary returns the first clause of a help text.
func summary(c *cli.Command) string {
	first, _, _ := strings.Cut(c.Usage, ": ")
	return first
}

// commandPage returns the page of a command.
func commandPage(t *testing.T, c *cli.Command) string {
	var out strings.Builder
	name := "berth-" + c.Name
	fmt.Fprintf(&out, ".\\\" make generate writes this page from cmd/runtime and docs/man/%s.8.in\n", name)
	fmt.Fprintf(&out, ".TH %s 8 \"\" berth \"System Manager's Manual\"\n", roff(strings.ToUpper(name)))
	fmt.Fprintf(&out, ".SH NAME\n%s \\- %s\n", roff(name), roff(summary(c)))
	options := manFlags(c.Flags)
	fmt.Fprintf(&out, ".SH SYNOPSIS\n.B berth\n.RI [ \"GLOBAL OPTION\" ...]\n.B %s\n", roff(c.Name))
	if options != "" {
		out.WriteString(".RI [ OPTION ...]\n")
	}
	if c.ArgsUsage != "" {
		out.WriteString(roff(c.ArgsUsage) + "\n")
	}
	out.WriteString(".SH DESCRIPTION\n" + sentence(c.Usage) + "\n")
	frame := handwritten(t, name+".8")
	description, sections, _ := strings.Cut("\n"+frame, "\n.SH ")
	if c.Description != "" && c.Name != "completion" {
		out.WriteString(".PP\n" + roff(c.Description) + "\n")
	}
	if description = strings.TrimPrefix(description, "\n"); description != "" {
		out.WriteString(".PP\n" + strings.TrimSuffix(description, "\n") + "\n")
	}
	if options != "" {
		out.WriteString(".SH OPTIONS\n" + options)
	}
	if sections != "" {
		out.WriteString(".SH " + sections)
	}
	if !strings.Contains(frame, ".SH SEE ALSO") {
		out.WriteString(".SH SEE ALSO\n.BR berth (8)\n")
	}
	return out.String()
}

// manFlags writes the list of flags that are not hidden.
func manFlags(flags []cli.Flag) string {
	var out strings.Builder
	for _, f := range flags {
		doc, ok := f.(cli.DocGenerationFlag)
		// The module adds --help to commands when it reads a line.
		if hidden, can := f.(cli.VisibleFlag); !ok || can && !hidden.IsVisible() || f.Names()[0] == "help" {
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
