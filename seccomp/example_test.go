package seccomp_test

import (
	"fmt"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/seccomp"
)

// A profile of the caller's own, with a mistake and without.
func ExampleCompile() {
	profile := &specs.LinuxSeccomp{
		DefaultAction: specs.ActAllow,
		Syscalls:      []specs.LinuxSyscall{{Names: []string{"mkdir", "mkdirat"}, Action: "SCMP_ACT_ERNO"}},
	}
	_, err := seccomp.Compile(profile)
	fmt.Println(err)

	profile.Syscalls[0].Action = specs.ActErrno
	filter, err := seccomp.Compile(profile)
	if err != nil {
		fmt.Println(err)
		return
	}
	// Install takes it, and so does seccomp(2): unix.SockFprog{Len: …, Filter:
	// &filter.Program[0]}.
	fmt.Println(len(filter.Program) > 0, filter.Notify)
	// Output:
	// syscalls[0].action: unknown action "SCMP_ACT_ERNO"; did you mean "SCMP_ACT_ERRNO"?
	// true false
}
