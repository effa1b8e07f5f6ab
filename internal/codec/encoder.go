package codec

import (
	"maps"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// Encoder writes a JSON text as json.Marshal does. Its small methods are not inlined: the
// functions that call them would be three times as long.
type Encoder struct {
	text   []byte
	failed bool
}

// Encode returns the text of v, which is likely to have size bytes. It reports false if
// it declines: json.Marshal returns an error.
func Encode[T any](v *T, size int, write func(*Encoder, *T)) ([]byte, bool) {
	e := Encoder{text: make([]byte, 0, size)}
	write(&e, v)
	return e.text, !e.failed
}

// Begin writes the begin of an object or array.
//
//go:noinline
func (e *Encoder) Begin(c byte) { e.text = append(e.text, c) }

// End writes the end of an object or array.
//
//go:noinline
func (e *Encoder) End(c byte) { e.text = append(e.text, c) }

// Member begins a member of an object: name has quotes and the colon.
//
//go:noinline
func (e *Encoder) Member(name string) {
	e.comma('{')
	e.text = append(e.text, name...)
}

// comma separates an element or member from the one before, if there is one. No value
// ends with the begin of an object or array.
func (e *Encoder) comma(begin byte) {
	if e.text[len(e.text)-1] != begin {
		e.text = append(e.text, ',')
	}
}

// Null writes null.
//
//go:noinline
func (e *Encoder) Null() { e.text = append(e.text, "null"...) }

// Bool writes true or false.
//
//go:noinline
func (e *Encoder) Bool(v bool) { e.text = strconv.AppendBool(e.text, v) }

// Int writes an integer.
//
//go:noinline
func (e *Encoder) Int(v int64) { e.text = strconv.AppendInt(e.text, v, 10) }

// Uint writes an unsigned integer.
//
//go:noinline
func (e *Encoder) Uint(v uint64) { e.text = strconv.AppendUint(e.text, v, 10) }

// Time writes a time as time.Time.MarshalJSON does; it declines a year of more than four
// digits, and a zone with seconds.
func (e *Encoder) Time(t *time.Time) {
	text, err := t.AppendText(append(e.text, '"'))
	if err != nil {
		e.failed = true
		return
	}
	e.text = append(text, '"')
}

// Text writes a string. As json.Marshal, it escapes the characters that have a meaning
// in HTML or end a line in JavaScript, and replaces bytes that are not UTF-8.
func (e *Encoder) Text(s string) {
	const hex = "0123456789abcdef"
	text := append(e.text, '"')
	begin := 0
	for i := 0; i < len(s); {
		c, size := rune(s[i]), 1
		if c >= utf8.RuneSelf {
			c, size = utf8.DecodeRuneInString(s[i:])
		}
		if !escaped(c, size) {
			i += size
			continue
		}
		text = append(text, s[begin:i]...)
		i += size
		begin = i
		switch c {
		case '"', '\\':
			text = append(text, '\\', byte(c))
		case '\b':
			text = append(text, `\b`...)
		case '\f':
			text = append(text, `\f`...)
		case '\n':
			text = append(text, `\n`...)
		case '\r':
			text = append(text, `\r`...)
		case '\t':
			text = append(text, `\t`...)
		default:
			text = append(text, '\\', 'u', hex[c>>12&15], hex[c>>8&15], hex[c>>4&15], hex[c&15])
		}
	}
	e.text = append(append(text, s[begin:]...), '"')
}

// escaped reports whether a character of size bytes is not written as it is.
func escaped(c rune, size int) bool {
	switch c {
	case '"', '\\', '<', '>', '&', '\u2028', '\u2029':
		return true
	case utf8.RuneError:
		return size == 1
	}
	return c < ' '
}

// Texts writes a list of strings, null if it is nil.
func (e *Encoder) Texts(list []string) {
	if list == nil {
		e.Null()
		return
	}
	e.Begin('[')
	for _, s := range list {
		e.comma('[')
		e.Text(s)
	}
	e.End(']')
}

// TextMap writes a map of strings, null if it is nil.
func (e *Encoder) TextMap(m map[string]string) {
	WriteMap(e, m, func(e *Encoder, s *string) { e.Text(*s) })
}

// WritePointer writes a value, null if v is nil.
func WritePointer[T any](e *Encoder, v *T, write func(*Encoder, *T)) {
	if v == nil {
		e.Null()
		return
	}
	write(e, v)
}

// WriteList writes a list, null if it is nil.
func WriteList[T any](e *Encoder, list []T, write func(*Encoder, *T)) {
	if list == nil {
		e.Null()
		return
	}
	e.Begin('[')
	for i := range list {
		e.comma('[')
		write(e, &list[i])
	}
	e.End(']')
}

// WriteMap writes a map in the order of its keys, null if it is nil.
func WriteMap[T any](e *Encoder, m map[string]T, write func(*Encoder, *T)) {
	if m == nil {
		e.Null()
		return
	}
	e.Begin('{')
	for _, name := range slices.Sorted(maps.Keys(m)) {
		e.comma('{')
		e.Text(name)
		e.text = append(e.text, ':')
		v := m[name]
		write(e, &v)
	}
	e.End('}')
}
