package main

import (
	"io"
	"time"
)

// line is a command line that has been parsed.
type line struct {
	command *command // nil with a global flag instead of a command
	args    []string // of the command
	out     io.Writer
	flags   []flag // of the command
	options []option
}

// option is the value that the command line sets a flag to.
type option struct {
	flag  *flag
	value any
}

// find returns the flag of this name: the command's, or the global one.
func (l *line) find(name string) *flag {
	for _, list := range [...][]flag{l.flags, globalFlags} {
		for i := range list {
			if list[i].has(name) {
				return &list[i]
			}
		}
	}
	return nil
}

// option returns the option that sets a flag, nil if it is not set.
func (l *line) option(f *flag) *option {
	for i := range l.options {
		if l.options[i].flag == f {
			return &l.options[i]
		}
	}
	return nil
}

// set sets a flag.
func (l *line) set(f *flag, value any) {
	if o := l.option(f); o != nil {
		o.value = value
		return
	}
	l.options = append(l.options, option{f, value})
}

// isSet reports whether the command line sets a flag.
func (l *line) isSet(name string) bool {
	f := l.find(name)
	return f != nil && l.option(f) != nil
}

// valueOf returns the value of a flag. The zero value is that of a flag that the command
// does not have, or has with another type.
func valueOf[T any](l *line, name string) T {
	var value any
	if f := l.find(name); f != nil {
		value = f.value
		if o := l.option(f); o != nil {
			value = o.value
		}
	}
	v, _ := value.(T)
	return v
}

func (l *line) text(name string) string            { return valueOf[string](l, name) }
func (l *line) truth(name string) bool             { return valueOf[bool](l, name) }
func (l *line) number(name string) int             { return valueOf[int](l, name) }
func (l *line) duration(name string) time.Duration { return valueOf[time.Duration](l, name) }
func (l *line) texts(name string) []string         { return valueOf[[]string](l, name) }
func (l *line) numbers(name string) []int64        { return valueOf[[]int64](l, name) }

// arg returns an argument, empty if there are not as many.
func (l *line) arg(n int) string {
	if n >= len(l.args) {
		return ""
	}
	return l.args[n]
}
