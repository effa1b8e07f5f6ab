package specconv

import (
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf8"
)

// maxDepth bounds the nesting of a JSON text, and so the stack.
const maxDepth = 1000

// next skips white space and returns the next byte without passing it, or 0
// at the end.
func (d *decoder) next() byte {
	for ; d.at < len(d.data); d.at++ {
		switch c := d.data[d.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// list reads an object or array from its opening bracket to its end; each
// reads one element.
func (d *decoder) list(end byte, each func(i int) error) error {
	if len(d.path) == maxDepth {
		return invalid("%s: nested deeper than %d", d.position(), maxDepth)
	}
	d.at++
	if d.next() == end {
		d.at++
		return nil
	}
	d.path = append(d.path, jsonLevel{array: end == ']'})
	for i := 0; ; i++ {
		d.path[len(d.path)-1].index = i
		if err := each(i); err != nil {
			return err
		}
		switch d.next() {
		case ',':
			d.at++
		case end:
			d.at++
			d.path = d.path[:len(d.path)-1]
			return nil
		default:
			return d.unexpected(`"," or "` + string(end) + `"`)
		}
	}
}

// str reads a string.
func (d *decoder) str() (string, error) {
	begin, escaped := d.at, false
	for d.at++; d.at < len(d.data); d.at++ {
		switch c := d.data[d.at]; {
		case c == '"':
			d.at++
			if escaped {
				return d.unescape(d.data[begin:d.at])
			}
			return string(d.data[begin+1 : d.at-1]), nil
		case c == '\\':
			escaped = true
			d.at++
		case c < ' ':
			return "", d.unexpected("an escaped control character")
		}
	}
	d.at = len(d.data)
	return "", d.unexpected("")
}

// unescape reads a string with backslashes in it.
func (d *decoder) unescape(quoted []byte) (s string, err error) {
	if json.Unmarshal(quoted, &s) != nil {
		d.at -= len(quoted)
		return "", invalid("%s: a string with a wrong escape sequence", d.position())
	}
	return s, nil
}

// numeral reads a number and returns it as it is written.
func (d *decoder) numeral() (string, error) {
	begin := d.at
	d.pass("-")
	zero := d.pass("0")
	if !zero && d.digits() == 0 {
		return "", d.unexpected("a digit")
	}
	if d.pass(".") && d.digits() == 0 {
		return "", d.unexpected("a digit")
	}
	if d.pass("eE") {
		d.pass("+-")
		if d.digits() == 0 {
			return "", d.unexpected("a digit")
		}
	}
	return string(d.data[begin:d.at]), nil
}

// pass passes one of the bytes, if one is next.
func (d *decoder) pass(set string) bool {
	for i := range len(set) {
		if d.at < len(d.data) && d.data[d.at] == set[i] {
			d.at++
			return true
		}
	}
	return false
}

// digits passes digits and counts them.
func (d *decoder) digits() (n int) {
	for d.pass("0123456789") {
		n++
	}
	return n
}

// word passes true, false or null.
func (d *decoder) word(word string) error {
	for i := range len(word) {
		if !d.pass(word[i : i+1]) {
			return d.unexpected(word)
		}
	}
	return nil
}

// unexpected makes the error for a text that is not JSON.
func (d *decoder) unexpected(want string) error {
	if d.at >= len(d.data) {
		return invalid("%s: the file ends too early: %w", d.position(), io.ErrUnexpectedEOF)
	}
	r, _ := utf8.DecodeRune(d.data[d.at:])
	return invalid("%s: want %s, found %q", d.position(), want, r)
}

// position says where the decoder is: "line 3, column 7".
func (d *decoder) position() string {
	line, column := 1, 1
	for _, b := range d.data[:d.at] {
		if column++; b == '\n' {
			line, column = line+1, 1
		}
	}
	return fmt.Sprintf("line %d, column %d", line, column)
}
