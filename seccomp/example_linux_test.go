package seccomp_test

import (
	"fmt"
	"log"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/seccomp"
)

// A program, and all that it starts, cannot open raw sockets any more.
func ExampleInstall() {
	errno := uint(unix.EAFNOSUPPORT)
	filter, err := seccomp.Compile(&specs.LinuxSeccomp{
		DefaultAction: specs.ActAllow,
		Syscalls: []specs.LinuxSyscall{{
			Names: []string{"socket"}, Action: specs.ActErrno, ErrnoRet: &errno,
			Args: []specs.LinuxSeccompArg{{Index: 0, Op: specs.OpEqualTo, Value: unix.AF_PACKET}},
		}},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := seccomp.Install(filter); err != nil {
		log.Fatal(err)
	}
	_, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
	fmt.Println(err)
	// Output: address family not supported by protocol
}
