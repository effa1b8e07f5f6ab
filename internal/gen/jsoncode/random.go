package jsoncode

import (
	"math"
	"math/rand/v2"
	"reflect"
	"time"
)

// Random returns a random value of a type, for tests. Some values are empty, nil, extreme,
// or strings that JSON escapes or that are not UTF-8. It has no sections of other
// platforms.
func Random[T any](r *rand.Rand) *T {
	v := new(T)
	fill(r, reflect.ValueOf(v).Elem())
	return v
}

// texts are difficult strings.
var texts = []string{
	"", "a", "/proc/sys", "a b", "<a>&b", `"\/`, "\b\f\n\r\t", "\x00\x01\x1f\x7f", "é", "日本語", "😀", "\u2028\u2029\u2027",
	"\ufffd", "\ufeff", "\U0010ffff", "\xff", "a\xc3", "\xed\xa0\x80b", "null", "ſK", "{\"a\": [1, true, null]}\n",
}

func fill(r *rand.Rand, v reflect.Value) {
	if v.Type() == timeType {
		v.Set(reflect.ValueOf(randomTime(r)))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if sf := v.Type().Field(i); sf.IsExported() && sf.Tag.Get("json") != "-" && !foreign(sf) {
				fill(r, v.Field(i))
			}
		}
	case reflect.Pointer:
		if r.IntN(4) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(r, v.Elem())
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(r, v.Index(i))
		}
	case reflect.Slice:
		if n := r.IntN(6) - 1; n >= 0 { // nil, too
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				fill(r, v.Index(i))
			}
		}
	case reflect.Map:
		fillMap(r, v)
	default:
		fillBasic(r, v)
	}
}

func fillMap(r *rand.Rand, v reflect.Value) {
	n := r.IntN(6) - 1
	if n < 0 {
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for range n {
		key, element := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(r, key)
		fill(r, element)
		v.SetMapIndex(key, element)
	}
}

func fillBasic(r *rand.Rand, v reflect.Value) {
	switch {
	case v.Kind() == reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case v.Kind() == reflect.String:
		v.SetString(randomString(r))
	case v.CanInt():
		numbers := []int64{0, -1, 7, math.MinInt64, math.MaxInt64, math.MaxInt32, math.MinInt16, int64(r.Uint64())}
		v.SetInt(numbers[r.IntN(len(numbers))] >> (64 - v.Type().Bits()))
	case v.CanUint():
		numbers := []uint64{0, 1 << 63, math.MaxUint64, r.Uint64(), r.Uint64() >> r.IntN(64)}
		v.SetUint(numbers[r.IntN(len(numbers))] >> (64 - v.Type().Bits()))
	default:
		panic("kind " + v.Kind().String())
	}
}

func randomString(r *rand.Rand) string {
	if r.IntN(2) == 0 {
		return texts[r.IntN(len(texts))]
	}
	text := ""
	for range r.IntN(5) {
		text += texts[r.IntN(len(texts))] + string(rune(r.IntN(0x3000)))
	}
	return text
}

// randomTime is in any year, some of which do not fit into JSON.
func randomTime(r *rand.Rand) time.Time {
	t := time.Unix(r.Int64N(1<<38)-1<<36, r.Int64N(3)*r.Int64N(1e9)).UTC()
	if r.IntN(2) == 0 {
		t = t.In(time.FixedZone("", r.IntN(26*60*60)-13*60*60))
	}
	if r.IntN(2) == 0 {
		t = t.In(time.FixedZone("", 60*(r.IntN(1500)-750)))
	}
	return t
}

// Mutate changes a JSON text at random, for tests: it removes, repeats and moves parts,
// and inserts tokens.
func Mutate(r *rand.Rand, text []byte) []byte {
	out := append([]byte(nil), text...)
	for range 1 + r.IntN(3) {
		if len(out) == 0 {
			return out
		}
		at := r.IntN(len(out))
		end := min(len(out), at+1+r.IntN(1+r.IntN(60)))
		switch r.IntN(6) {
		case 0:
			out = append(out[:at:at], out[end:]...)
		case 1:
			out = append(out[:end:end], out[at:]...)
		case 2:
			out[at] = byte(r.IntN(256))
		case 3:
			to := r.IntN(len(out) + 1)
			out = append(append(append([]byte(nil), out[:to]...), out[at:end]...), out[to:]...)
		default:
			token := tokens[r.IntN(len(tokens))]
			out = append(append(append([]byte(nil), out[:at]...), token...), out[at:]...)
		}
	}
	return out
}

// tokens are parts of JSON texts, right and wrong ones.
var tokens = []string{
	"{", "}", "[", "]", ",", ":", " ", "\n", "\t\r", "\f", "\"", `\`, "null", "true", "false", "-", "0", "-0", "00", "1.5", "1e3", "-1",
	"4294967296", "18446744073709551615", "18446744073709551616", "9223372036854775808", "-9223372036854775809", "1e999", "0x1", "+1",
	`"x":1,`, `"x":{"y":[1,{}]},`, `"a":null,`, "{}", "[]", `""`, `"\ud83d\ude00"`, `"\ud83d"`, `"\u0041\/"`, `"\x"`, "\xff", "\xef\xbb\xbf", "\x00",
}
