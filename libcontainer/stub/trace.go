package stub

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// line returns a call and its result as strace(1) prints them.
func (o *op) line(ret int64) string {
	s := fmt.Sprintf("%s(%s) = %s", o.name, o.format(), showResult(ret))
	if o.label != "" {
		s += "  # " + o.label
	}
	return s
}

// format returns the arguments of an operation. An argument that took another
// call's result shows that result.
func (o *op) format() string {
	parts := make([]string, len(o.args))
	for i, a := range o.args {
		parts[i] = a.String()
	}
	return strings.Join(parts, ", ")
}

// String returns the argument as strace(1) would print it.
func (a arg) String() string {
	switch {
	case a.kind == argStr:
		return strconv.Quote(a.s)
	case (a.kind == argPtr || a.kind == argList) && a.s != "":
		return a.s
	case a.kind == argVal && a.v.n == unix.AT_FDCWD:
		return "AT_FDCWD"
	case a.kind == argVal && a.v.n == retPending:
		return "?"
	case a.kind == argVal:
		return strconv.FormatInt(a.v.n, 10)
	case a.kind == argNum:
		return strconv.FormatInt(int64(a.n), 10)
	case a.n == 0:
		return "0"
	}
	return "0x" + strconv.FormatUint(a.n, 16)
}

// quoteList returns a list of strings, only the beginning of a long one.
func quoteList(strs []string) string {
	const most = 8
	quoted := make([]string, 0, most)
	for i, s := range strs {
		if i == most {
			quoted = append(quoted, "...")
			break
		}
		quoted = append(quoted, strconv.Quote(s))
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
