package main

import (
	"os"
	"strings"
)

// Most command lines have only exact names of flags, and need no help and no error. parse
// reads those, and leaves all others to definition: to build the definitions of all
// commands and to walk through them takes 0.4 ms. A line that parse accepts must mean
// what the module makes of it; TestParse and FuzzParse compare the two.

// completionFlag asks for completions. It counts wherever a line ends with it.
const completionFlag = "--generate-shell-completion"

// parse reads a command line. Ok is false for a line that it does not accept.
func (a *app) parse(args []string) (_ *line, ok bool) {
	if len(args) < 2 || args[len(args)-1] == completionFlag {
		return nil, false
	}
	p := parser{app: a, words: args[1:], line: &line{out: os.Stdout}}
	if !p.globals() {
		return nil, false
	}
	if p.line.command == nil {
		return p.line, p.line.truth("version")
	}
	return p.line, p.rest()
}

// parser takes words from the front.
type parser struct {
	app   *app
	words []string
	line  *line
}

func (p *parser) take() string {
	word := p.words[0]
	p.words = p.words[1:]
	return word
}

// globals parses the flags before the command, and the command's name. It accepts a line
// without a command.
func (p *parser) globals() bool {
	for len(p.words) > 0 {
		switch word := p.take(); {
		case padded(word):
			return false
		case word[0] == '-':
			if !p.flag(word) {
				return false
			}
		default:
			p.line.command = p.app.command(word)
			if p.line.command == nil {
				return false
			}
			p.line.flags = p.line.command.flags
			return true
		}
	}
	return true
}

// rest parses the words after the command's name.
func (p *parser) rest() bool {
	l := p.line
	for len(p.words) > 0 {
		word := p.take()
		if padded(word) {
			return false
		}
		switch {
		case word == "--":
			l.args = append(l.args, p.words...)
			return true
		case l.command.stopAfter > 0 && len(l.args) == l.command.stopAfter:
			l.args = append(append(l.args, word), p.words...)
			return true
		case word[0] != '-' || word == "-":
			l.args = append(l.args, word)
		case !p.flag(word):
			return false
		}
	}
	return true
}

// padded reports whether a word is empty or has blanks around it. The module
// ignores blanks around a flag.
func padded(word string) bool { return word == "" || strings.TrimSpace(word) != word }

// flag parses a flag. It takes the next word if that is the value.
func (p *parser) flag(word string) bool {
	name, isLong := strings.CutPrefix(word, "--")
	if !isLong {
		name = word[1:]
	}
	name, value, hasValue := strings.Cut(name, "=")
	f := p.line.find(name)
	if f == nil || p.line.command != nil && f.local {
		return false
	}
	switch {
	case f.kind == truth && value == "":
		value = "true"
	case f.kind != truth && !hasValue:
		if len(p.words) == 0 {
			return false
		}
		value = p.take()
	}
	var earlier any
	if o := p.line.option(f); o != nil {
		earlier = o.value
	}
	v, err := f.convert(value, earlier)
	if err != nil {
		return false
	}
	p.line.set(f, v)
	return true
}
