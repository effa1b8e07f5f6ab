package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// parseNumber reads a number in decimal.
func parseNumber[T int64 | uint64 | uint16](s string, to **T) error {
	n, err := strconv.ParseInt(s, 10, 64)
	v := T(n)
	if err != nil || int64(v) != n || (v < 0) != (n < 0) {
		return fmt.Errorf("%q is not a number in range", s)
	}
	*to = &v
	return nil
}

// parseSize reads a number of bytes: in decimal, or with a fraction and a unit. Units
// are powers of 1024, with or without an i ("1.5GiB", "100m"). -1 is no limit.
func parseSize(s string, to **int64) error {
	n, ok := size(s)
	if !ok {
		return fmt.Errorf("invalid size: '%s' (want bytes, such as 100M or 1.5GiB, or -1 for no limit)", s)
	}
	*to = &n
	return nil
}

func size(s string) (int64, bool) {
	// A float would round above 2^53.
	if n, err := strconv.ParseUint(s, 10, 63); err == nil {
		return int64(n), true
	}
	if s == "-1" {
		return -1, true
	}
	digits := strings.TrimRight(s, "bBiIkKmMgGtTpP")
	unit := strings.ToLower(s[len(digits):])
	if unit == "" || strings.Trim(digits, "0123456789. ") != "" {
		return 0, false
	}
	if unit = strings.TrimSuffix(unit, "b"); len(unit) > 1 {
		unit = strings.TrimSuffix(unit, "i")
	}
	power := 0
	if unit != "" {
		power = 1 + strings.Index("kmgtp", unit)
	}
	f, err := strconv.ParseFloat(strings.TrimSuffix(digits, " "), 64)
	f = math.Ldexp(f, 10*power)
	return int64(f), err == nil && len(unit) <= 1 && (unit == "" || power > 0) && f < math.MaxInt64
}
