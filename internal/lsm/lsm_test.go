package lsm

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
)

func TestWrites(t *testing.T) {
	for _, test := range []struct {
		labels Labels
		want   []Write
	}{
		{Labels{}, nil},
		{Labels{Mount: "a:b:c:s0"}, nil},
		{Labels{AppArmor: "docker-default"}, []Write{{"process.apparmorProfile", "self/attr/apparmor/exec", "exec docker-default"}}},
		// Only the exact name means unconfined.
		{Labels{AppArmor: "unconfined_too"}, []Write{{"process.apparmorProfile", "self/attr/apparmor/exec", "exec unconfined_too"}}},
		{Labels{SELinux: "a:b:c:s0"}, []Write{
			{"process.selinuxLabel", "self/attr/exec", "a:b:c:s0"},
			{"process.selinuxLabel", "self/attr/keycreate", "a:b:c:s0"},
		}},
	} {
		if got := test.labels.Writes(); !slices.Equal(got, test.want) {
			t.Errorf("%+v: %+v, want %+v", test.labels, got, test.want)
		}
	}
}

func TestAppArmorEnabled(t *testing.T) {
	file := filepath.Join(t.TempDir(), "enabled")
	if appArmorEnabled(file) {
		t.Error("enabled without the file")
	}
	for text, want := range map[string]bool{"Y\n": true, "N\n": false, "": false} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := appArmorEnabled(file); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestExplain(t *testing.T) {
	appArmor := Write{Field: "process.apparmorProfile", Text: "exec web"}
	for _, test := range []struct {
		write Write
		errno unix.Errno
		want  string
	}{
		{appArmor, unix.ENOENT, `process.apparmorProfile: AppArmor profile "web" is not loaded`},
		{appArmor, unix.EACCES, "does not allow the change"},
		{Write{Field: "process.selinuxLabel"}, unix.EINVAL, "process.selinuxLabel: write x: invalid argument"},
	} {
		err := test.write.Explain(fmt.Errorf("write x: %w", test.errno))
		var field *config.FieldError
		if !errors.As(err, &field) || !errors.Is(err, test.errno) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: want %q and %v", err, test.want, test.errno)
		}
		// Engines take these words for a missing program.
		if strings.Contains(err.Error(), "no such file") {
			t.Errorf("%v", err)
		}
	}
	if err := appArmor.Explain(nil); err != nil {
		t.Error(err)
	}
}

func TestInProfile(t *testing.T) {
	for label, want := range map[string]bool{
		"web (enforce)": true, "web (complain)": true, "web//child (enforce)": true,
		"unconfined": false, "website (enforce)": false, "": false, "other//web (enforce)": false,
	} {
		if got := inProfile(label, "web"); got != want {
			t.Errorf("%q: %t", label, got)
		}
	}
	for profile, want := range map[string]bool{":box:web": true, ":box://web": true, "web": false, ":other:web": false, "": false} {
		if got := inProfile(":box://web (enforce)", profile); got != want {
			t.Errorf("of a namespace, %q: %t", profile, got)
		}
	}
}

func TestVerifyWithoutLabels(t *testing.T) {
	for _, l := range []Labels{{}, {AppArmor: Unconfined}, {Mount: "a:b:c:s0"}} {
		if err := l.Verify(os.Getpid()); err != nil {
			t.Errorf("%+v: %v", l, err)
		}
	}
}
