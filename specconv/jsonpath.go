package specconv

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/berth-oci/berth/libcontainer/config"
)

// fieldAt returns the path of the JSON value whose first token ends at an
// offset, e.g. "process.args[1]". The decoder's own errors name the struct
// fields but not the indexes. Only errors come here: speed does not matter.
func fieldAt(data []byte, offset int64) string {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var at jsonPath
	for {
		token, err := decoder.Token()
		if err != nil || decoder.InputOffset() >= offset {
			return at.String()
		}
		at.pass(token)
	}
}

// jsonPath is the place of the next token in a JSON text.
type jsonPath []jsonLevel

// jsonLevel is one open object or array.
type jsonLevel struct {
	array bool
	index int
	key   string
	// named is set between an object's key and its value.
	named bool
}

// pass moves on over one token.
func (p *jsonPath) pass(token json.Token) {
	switch token {
	case json.Delim('{'):
		*p = append(*p, jsonLevel{})
	case json.Delim('['):
		*p = append(*p, jsonLevel{array: true})
	case json.Delim('}'), json.Delim(']'):
		*p = (*p)[:len(*p)-1]
		p.done()
	default:
		p.literal(token)
	}
}

// literal moves on over a key or a value that is neither object nor array.
func (p *jsonPath) literal(token json.Token) {
	if len(*p) > 0 {
		if top := &(*p)[len(*p)-1]; !top.array && !top.named {
			top.key, _ = token.(string)
			top.named = true
			return
		}
	}
	p.done()
}

// done ends a value.
func (p *jsonPath) done() {
	if len(*p) > 0 {
		top := &(*p)[len(*p)-1]
		top.index++
		top.named = false
	}
}

func (p jsonPath) String() string {
	var s strings.Builder
	for _, level := range p {
		switch {
		case level.array:
			s.WriteString("[" + strconv.Itoa(level.index) + "]")
		case !plain(level.key): // a key of annotations, say
			s.WriteString("[" + config.Quote(level.key) + "]")
		case s.Len() > 0:
			s.WriteString("." + level.key)
		default:
			s.WriteString(level.key)
		}
	}
	return s.String()
}

// plain reports whether a key can stand in a path without quotes.
func plain(key string) bool {
	for _, c := range key {
		if (c < 'a' || 'z' < c) && (c < 'A' || 'Z' < c) && (c < '0' || '9' < c) {
			return false
		}
	}
	return key != "" && len(key) < 64
}

// found describes the value of a JSON type error, which is "array" or
// "number -5".
func found(value string) string {
	kind, number, isNumber := strings.Cut(value, " ")
	switch {
	case isNumber:
		return number[:min(len(number), 40)]
	case kind == "bool":
		return "a boolean"
	case kind == "array" || kind == "object":
		return "an " + kind
	}
	return "a " + kind
}

// wanted describes the JSON value that a Go type takes.
func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return wanted(t.Elem())
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "an array of " + plural(t.Elem())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		limit := int64(math.MaxInt64) >> (64 - t.Bits())
		return fmt.Sprintf("a whole number from %d to %d", -limit-1, limit)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return fmt.Sprintf("a whole number from 0 to %d", uint64(math.MaxUint64)>>(64-t.Bits()))
	}
	return "an object"
}

// plural describes the elements of an array.
func plural(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "strings"
	case reflect.Struct, reflect.Map:
		return "objects"
	}
	return "numbers"
}
