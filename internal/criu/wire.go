package criu

import (
	"encoding/binary"
	"errors"
	"math"
)

// Wire types of protocol buffers, the low three bits of a field's key.
const (
	wireVarint = 0
	wire64     = 1
	wireBytes  = 2
	wire32     = 5
)

// message is an encoded message. Fields are appended in any order.
type message []byte

// number appends a field of an integer or enum type.
func (m *message) number(field int, v int64) {
	*m = binary.AppendUvarint(*m, uint64(field)<<3|wireVarint)
	*m = binary.AppendUvarint(*m, uint64(v)) // a negative int32 is encoded as int64
}

// flag appends a bool that is true: the default of all bools is false.
func (m *message) flag(field int, v bool) {
	if v {
		m.number(field, 1)
	}
}

// text appends a string that is not empty.
func (m *message) text(field int, v string) {
	if v != "" {
		m.bytes(field, []byte(v))
	}
}

// bytes appends a string or a message.
func (m *message) bytes(field int, v []byte) {
	*m = binary.AppendUvarint(*m, uint64(field)<<3|wireBytes)
	*m = binary.AppendUvarint(*m, uint64(len(v)))
	*m = append(*m, v...)
}

var errMalformed = errors.New("malformed message of CRIU")

// each calls visit for each field of an encoded message: with a number, or with the
// bytes of a string or message.
func each(b []byte, visit func(field int, number int64, bytes []byte) error) error {
	for len(b) > 0 {
		key, n := binary.Uvarint(b)
		if n <= 0 || key>>3 == 0 || key > math.MaxUint32 { // other decoders read 32 bits of it
			return errMalformed
		}
		number, bytes, size := value(key&7, b[n:])
		if size < 0 {
			return errMalformed
		}
		if err := visit(int(key>>3), number, bytes); err != nil {
			return err
		}
		b = b[n+size:]
	}
	return nil
}

// value decodes the value at the beginning of b and returns its size, -1 if it is
// malformed. No message of CRIU has a number of fixed size that berth reads.
func value(wire uint64, b []byte) (number int64, bytes []byte, size int) {
	v, n := uint64(0), 0
	switch wire {
	case wire64:
		n = 8
	case wire32:
		n = 4
	case wireVarint, wireBytes:
		if v, n = binary.Uvarint(b); n <= 0 {
			return 0, nil, -1
		}
	default:
		return 0, nil, -1
	}
	if n > len(b) || wire == wireBytes && v > uint64(len(b)-n) {
		return 0, nil, -1
	}
	if wire == wireBytes {
		return 0, b[n : n+int(v)], n + int(v)
	}
	return int64(v), nil, n
}
