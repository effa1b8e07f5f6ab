// Command picture writes the pictures of the documentation: docs/stub.svg shows the
// runtime, the stub, the shared region and the container; docs/bench.svg shows
// docs/bench.json, which "make bench" can write. With -check it only reports whether
// the files are up to date.
package main

import (
	"bytes"
	"encoding/xml"
	"flag"
	"fmt"
	"os"
)

// files are the pictures.
var files = []struct {
	name string
	draw func() ([]byte, error)
}{
	{"docs/stub.svg", drawStub},
	{"docs/bench.svg", func() ([]byte, error) {
		text, err := os.ReadFile("docs/bench.json")
		if err != nil {
			return nil, err
		}
		return drawBench(text)
	}},
}

func main() {
	check := flag.Bool("check", false, "only compare")
	flag.Parse()
	if err := run(*check); err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
}

func run(check bool) error {
	for _, f := range files {
		text, err := f.draw()
		if err != nil {
			return err
		}
		if !check {
			if err := os.WriteFile(f.name, text, 0o644); err != nil {
				return err
			}
			continue
		}
		have, err := os.ReadFile(f.name)
		if err != nil {
			return err
		}
		if !bytes.Equal(have, text) {
			return fmt.Errorf("%s differs from internal/gen/picture: run make generate", f.name)
		}
	}
	return nil
}

func drawStub() ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, head, width, height, width, height, description)
	for _, e := range picture {
		e.draw(&b)
	}
	b.WriteString("</svg>\n")
	return b.Bytes(), nil
}

// escape makes text safe between tags.
func escape(s string) string {
	var b bytes.Buffer
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		panic(err) // a bytes.Buffer takes everything
	}
	return b.String()
}

// element is a part of the picture.
type element interface{ draw(*bytes.Buffer) }

// box is a rectangle with a title and lines of text below it.
type box struct {
	class      string
	x, y, w, h int
	title      string
	lines      []string
	mono       bool // the lines are system calls
}

func (e box) draw(b *bytes.Buffer) {
	const titleAt, linesAt, pitch, margin = 22, 48, 19, 14
	fmt.Fprintf(b, "<rect class=%q x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"8\"/>\n", e.class, e.x, e.y, e.w, e.h)
	label{"title", e.x + margin, e.y + titleAt, e.title}.draw(b)
	class := "line"
	if e.mono {
		class = "call"
	}
	for i, line := range e.lines {
		label{class, e.x + margin, e.y + linesAt + i*pitch, line}.draw(b)
	}
}

// label is a line of text.
type label struct {
	class string
	x, y  int
	text  string
}

func (e label) draw(b *bytes.Buffer) {
	fmt.Fprintf(b, "<text xml:space=\"preserve\" class=%q x=\"%d\" y=\"%d\">%s</text>\n", e.class, e.x, e.y, escape(e.text))
}

// arrow is a path with a head at its end and, if both is set, at its start.
type arrow struct {
	path string
	both bool
}

func (e arrow) draw(b *bytes.Buffer) {
	start := ""
	if e.both {
		start = ` marker-start="url(#head)"`
	}
	fmt.Fprintf(b, "<path class=\"arrow\" d=%q%s marker-end=\"url(#head)\"/>\n", e.path, start)
}
