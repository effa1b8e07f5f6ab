package codec

import (
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth limits the nesting of values that Unknown skips. The types themselves are
// not nested without limit.
const maxDepth = 100

// Decoder reads a JSON text. Its methods read one value, or one token of a list or an
// object, and the white space after it. The first method that meets something unexpected
// ends the text: all later ones fail, too. A null leaves the zero value.
type Decoder struct {
	text   string
	at     int // the next token
	failed bool
	// strings has the elements of many lists, to make few allocations.
	strings []string
}

// Decode reads a text that is one value, other than null. The result shares memory with
// the text. Decode reports false if it declines.
func Decode[T any](text string, read func(*Decoder, *T)) (*T, bool) {
	if !utf8.ValidString(text) { // encoding/json replaces such bytes
		return nil, false
	}
	d := Decoder{text: text}
	d.space()
	if d.peek() == 'n' {
		return nil, false
	}
	v := new(T)
	read(&d, v)
	return v, !d.failed && d.at == len(d.text)
}

func (d *Decoder) fail() { d.text, d.at, d.failed = "", 0, true }

// peek returns the next byte, 0 at the end; no token begins with 0.
func (d *Decoder) peek() byte {
	if d.at < len(d.text) {
		return d.text[d.at]
	}
	return 0
}

func (d *Decoder) space() {
	for d.at < len(d.text) {
		switch d.text[d.at] {
		case ' ', '\t', '\n', '\r':
			d.at++
		default:
			return
		}
	}
}

// take reads a byte if it is the next one.
func (d *Decoder) take(c byte) bool {
	if d.peek() != c {
		return false
	}
	d.at++
	d.space()
	return true
}

// word reads a literal; what follows it is the next token, which cannot be a letter.
func (d *Decoder) word(literal string) {
	if !strings.HasPrefix(d.text[d.at:], literal) {
		d.fail()
		return
	}
	d.at += len(literal)
	d.space()
}

// Null reads a null, if that is the next value.
//
//go:noinline
func (d *Decoder) Null() bool {
	if d.peek() != 'n' {
		return false
	}
	d.word("null")
	return !d.failed
}

// Bool reads true or false.
//
//go:noinline
func (d *Decoder) Bool() bool {
	switch d.peek() {
	case 't':
		d.word("true")
		return true
	case 'n':
		d.word("null")
	default:
		d.word("false")
	}
	return false
}

// Int reads an integer of the given number of bits.
func (d *Decoder) Int(bits int) int64 {
	if d.Null() {
		return 0
	}
	negative := d.peek() == '-'
	if negative {
		d.at++
	}
	n, limit := d.digits(), uint64(1)<<(bits-1)
	switch {
	case negative && n <= limit:
		return -int64(n)
	case !negative && n < limit:
		return int64(n)
	}
	d.fail()
	return 0
}

// Uint reads an unsigned integer of the given number of bits.
func (d *Decoder) Uint(bits int) uint64 {
	if d.Null() {
		return 0
	}
	n := d.digits()
	if n>>(bits-1)>>1 != 0 {
		d.fail()
		return 0
	}
	return n
}

// digits reads a number without sign, fraction and exponent.
func (d *Decoder) digits() uint64 {
	const most = 1<<64 - 1
	var n uint64
	begin := d.at
	for d.at < len(d.text) && isDigit(d.text[d.at]) {
		digit := uint64(d.text[d.at] - '0')
		if n > (most-digit)/10 || n == 0 && d.at > begin { // too large, or a zero before other digits
			d.fail()
			return 0
		}
		n = n*10 + digit
		d.at++
	}
	if d.at == begin {
		d.fail()
	}
	d.space()
	return n
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// Time reads a time as time.Time.UnmarshalJSON does.
func (d *Decoder) Time(t *time.Time) {
	if d.Null() {
		return
	}
	begin := d.at
	d.quoted()
	if d.failed || t.UnmarshalJSON([]byte(strings.TrimRight(d.text[begin:d.at], " \t\n\r"))) != nil {
		d.fail()
	}
}

// Text reads a string.
func (d *Decoder) Text() string {
	if d.Null() {
		return ""
	}
	return d.quoted()
}

// quoted reads a string, but not null.
func (d *Decoder) quoted() string {
	if d.peek() != '"' {
		d.fail()
		return ""
	}
	begin := d.at + 1
	for i := begin; i < len(d.text); i++ {
		switch c := d.text[i]; {
		case c == '"':
			s := d.text[begin:i]
			d.at = i + 1
			d.space()
			return s
		case c == '\\':
			d.at = i
			return d.unescape(d.text[begin:i])
		case c < ' ':
			d.fail()
			return ""
		}
	}
	d.fail()
	return ""
}

// unescape reads a string from its first escape sequence on.
func (d *Decoder) unescape(begin string) string {
	s := append(make([]byte, 0, 2*len(begin)+64), begin...)
	for {
		switch c := d.peek(); {
		case c == '"':
			d.at++
			d.space()
			return string(s)
		case c == '\\':
			s = utf8.AppendRune(s, d.escape())
		case c < ' ': // at the end, too
			d.fail()
			return ""
		default:
			s = append(s, c)
			d.at++
		}
	}
}

// escape reads an escape sequence.
func (d *Decoder) escape() rune {
	d.at++
	c := d.peek()
	if c == 'u' {
		r := d.hex()
		if utf16.IsSurrogate(r) {
			r = d.secondHalf(r)
		}
		return r
	}
	if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 {
		d.at++
		return rune("\"\\/\b\f\n\r\t"[i])
	}
	d.fail()
	return 0
}

// secondHalf reads the second escape sequence of a character. encoding/json replaces a
// half alone with U+FFFD.
func (d *Decoder) secondHalf(first rune) rune {
	if d.peek() == '\\' {
		d.at++
		if r := utf16.DecodeRune(first, d.hex()); r != utf8.RuneError {
			return r
		}
	}
	d.fail()
	return 0
}

// hex reads a "u" and four hexadecimal digits.
func (d *Decoder) hex() rune {
	const length = 5
	if d.peek() != 'u' || len(d.text)-d.at < length {
		d.fail()
		return 0
	}
	var r rune
	for _, c := range []byte(d.text[d.at+1 : d.at+length]) {
		digit := strings.IndexByte("0123456789abcdefABCDEF", c)
		if digit >= 16 {
			digit -= 6
		}
		if digit < 0 {
			d.fail()
			return 0
		}
		r = r<<4 | rune(digit)
	}
	d.at += length
	return r
}

// Object reads the begin of an object, and reports whether it has a member. A loop reads
// the members: for more := d.Object(); more; more = d.More('}') { d.Name(); … }
//
//go:noinline
func (d *Decoder) Object() bool { return d.open('{', '}') }

// Array reads the begin of an array, and reports whether it has an element. A loop reads
// the elements: for more := d.Array(); more; more = d.More(']') { … }
//
//go:noinline
func (d *Decoder) Array() bool { return d.open('[', ']') }

func (d *Decoder) open(begin, end byte) bool {
	if d.take(begin) {
		return !d.take(end)
	}
	if !d.Null() {
		d.fail()
	}
	return false
}

// More reads the comma before another element or member, or the end.
func (d *Decoder) More(end byte) bool {
	if d.take(',') {
		return true
	}
	if !d.take(end) {
		d.fail()
	}
	return false
}

// Name reads the name of a member and the colon.
func (d *Decoder) Name() string {
	name := d.quoted()
	if !d.take(':') {
		d.fail()
	}
	return name
}

// Once declines a member that the object already had: encoding/json would merge the
// values. Seen has a bit for each member.
//
//go:noinline
func (d *Decoder) Once(seen *uint64, member int) {
	bit := uint64(1) << member
	if *seen&bit != 0 {
		d.fail()
	}
	*seen |= bit
}

// Unknown reads the value of a member that is not a field. Fields are the names of all
// fields, separated by blanks: encoding/json also accepts them in upper or lower case.
func (d *Decoder) Unknown(name, fields string) {
	for field := range strings.SplitSeq(fields, " ") {
		if strings.EqualFold(name, field) {
			d.fail()
			return
		}
	}
	d.skip(maxDepth)
}

// Presence reads an object, and reports whether it was there: not null.
func (d *Decoder) Presence() bool {
	if d.Null() {
		return false
	}
	for more := d.Object(); more; more = d.More('}') {
		d.Name()
		d.skip(maxDepth)
	}
	return true
}

// skip reads any value, nested at most depth times.
func (d *Decoder) skip(depth int) {
	if depth == 0 {
		d.fail()
		return
	}
	switch d.peek() {
	case '"':
		d.quoted()
	case '{':
		for more := d.Object(); more; more = d.More('}') {
			d.Name()
			d.skip(depth - 1)
		}
	case '[':
		for more := d.Array(); more; more = d.More(']') {
			d.skip(depth - 1)
		}
	case 't', 'f', 'n':
		d.Bool()
	default:
		d.skipNumber()
	}
}

// skipNumber reads a number of any size.
func (d *Decoder) skipNumber() {
	if d.peek() == '-' {
		d.at++
	}
	if d.peek() == '0' {
		d.at++
	} else {
		d.skipDigits()
	}
	if d.peek() == '.' {
		d.at++
		d.skipDigits()
	}
	if c := d.peek(); c == 'e' || c == 'E' {
		d.at++
		if c := d.peek(); c == '+' || c == '-' {
			d.at++
		}
		d.skipDigits()
	}
	d.space()
}

// skipDigits reads at least one digit.
func (d *Decoder) skipDigits() {
	if !isDigit(d.peek()) {
		d.fail()
	}
	for isDigit(d.peek()) {
		d.at++
	}
}
