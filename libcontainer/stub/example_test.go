package stub_test

import (
	"context"
	"fmt"
	"log"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/stub"
)

// System calls in a process of the caller's own that runs no Go: here it enters
// namespaces, which the caller's threads could not leave again.
func Example() {
	c, err := stub.Start(context.Background(), stub.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer func() {
		if err := c.End(); err != nil {
			log.Print(err)
		}
	}()
	c.Unshare(unix.CLONE_NEWUTS | unix.CLONE_NEWNS)
	c.Sethostname("example")
	// After Do, the results are known. Before, they can be arguments.
	root := c.Openat(stub.Num(unix.AT_FDCWD), "/", unix.O_PATH, 0)
	missing := c.Openat(root, "no-such-file", unix.O_RDONLY, 0).MayFail(unix.ENOENT)
	if err := c.Do(); err != nil {
		log.Fatal(err) // names the call that failed
	}
	fmt.Println(root.Int(), missing.Err())
}
