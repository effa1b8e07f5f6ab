package main

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// userString is what --user accepts, except for the range.
var userString = regexp.MustCompile(`^[0-9]+(:[0-9]+)?$`)

// FuzzUser reads the value of --user.
func FuzzUser(f *testing.F) {
	for _, ids := range []string{"", "0", "1000:1000", "4294967295:0", "4294967296", "root", "1:", ":1", "+1", "-1", "1:2:3", "0x1", " 1", "1_0", "١"} {
		f.Add(ids, int64(5))
	}
	f.Add("1", int64(1<<32-1))
	f.Fuzz(func(t *testing.T, ids string, group int64) {
		user := specs.User{UID: 7, GID: 8, AdditionalGids: []uint32{9}}
		err := setUser(&user, ids, []int64{group})
		words := strings.Split(ids, ":")
		want := [2]uint64{7, 8}
		good := ids == "" || userString.MatchString(ids)
		for i := range want {
			if good && ids != "" && i < len(words) {
				n, err := strconv.ParseUint(words[i], 10, 32)
				want[i], good = n, err == nil
			}
		}
		good = good && group >= 0 && group < 1<<32-1
		if (err == nil) != good {
			t.Fatalf("%q, %d: %v", ids, group, err)
		}
		if good && (uint64(user.UID) != want[0] || uint64(user.GID) != want[1] || len(user.AdditionalGids) != 2 || int64(user.AdditionalGids[1]) != group) {
			t.Errorf("%q, %d: %+v", ids, group, user)
		}
	})
}
