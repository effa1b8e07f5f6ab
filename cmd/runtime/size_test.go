package main

import "testing"

func TestParseSize(t *testing.T) {
	for s, want := range map[string]int64{
		"0": 0, "1": 1, "-1": -1, "4096": 4096, "9007199254740993": 9007199254740993, "1b": 1, "1B": 1, "1k": 1024, "1K": 1024, "1kb": 1024, "1KiB": 1024,
		"100M": 100 << 20, "100m": 100 << 20, "100 MB": 100 << 20, "1.5GiB": 3 << 29, "2g": 2 << 30, "1T": 1 << 40, "1p": 1 << 50,
	} {
		var got *int64
		if err := parseSize(s, &got); err != nil || *got != want {
			t.Errorf("%q: %v, %v, want %d", s, got, err, want)
		}
	}
	for _, s := range []string{"", "-2", "x", "1x", "1ii", "1i", "1kk", "1bb", "k", "1..2", "+1", "0x10", "1e3", "8388608T", "1  k", " 1", "-1k", "1 "} {
		var got *int64
		if err := parseSize(s, &got); err == nil {
			t.Errorf("%q is taken for %d", s, *got)
		}
	}
}

func TestParseNumber(t *testing.T) {
	var i *int64
	var u *uint64
	var w *uint16
	for _, err := range []error{parseNumber("-1", &i), parseNumber("5", &u), parseNumber("65535", &w)} {
		if err != nil {
			t.Error(err)
		}
	}
	if *i != -1 || *u != 5 || *w != 65535 {
		t.Errorf("%d %d %d", *i, *u, *w)
	}
	for _, s := range []string{"", "x", "1.5", "1k"} {
		if parseNumber(s, &i) == nil {
			t.Errorf("%q is taken", s)
		}
	}
	if parseNumber("-1", &u) == nil || parseNumber("70000", &w) == nil || parseNumber("-1", &w) == nil {
		t.Error("out of range, and taken")
	}
}
