package libcontainer

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/internal/monitor"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// guard is a stub outside the container that kills init when this process ends. A parent
// death signal (PR_SET_PDEATHSIG) does not do: it comes when the thread ends that made the
// process, which in a Go program may be any, and the kernel clears it when the program
// changes its user.
type guard struct{ ended chan struct{} }

// checkGuard refuses a container with processes that would outlive init.
func checkGuard(o *CreateOptions) error {
	if !o.DieWithParent || o.Config.Namespaces.New&unix.CLONE_NEWPID != 0 {
		return nil
	}
	return config.FieldErrorf("linux.namespaces", "DieWithParent needs a pid namespace of the container's own: other processes outlive init")
}

// startGuard starts the guard of a new container.
func startGuard(ctx context.Context, init *stub.Child, o *CreateOptions, dir string) (*guard, error) {
	child, err := stub.Start(ctx, stub.Options{Files: []*os.File{nil, nil, nil, init.Pidfd}, Dir: dir, Log: o.Log})
	if err != nil {
		return nil, err
	}
	child.Step("guard init")
	child.SetName("berth/guard")
	child.Chdir("/")
	if err := child.Guard(stub.Num(3)); err != nil {
		return nil, errors.Join(err, child.End())
	}
	g := &guard{ended: make(chan struct{})}
	go func() {
		defer close(g.ended)
		// Without a context it fails only if there are no descriptors left; End then kills
		// the guard, as the container must not end for that.
		monitor.Poll(context.Background(), child.Pidfd) //nolint:errcheck // see above
		child.End()                                     //nolint:errcheck // it has ended
	}()
	return g, nil
}

// wait waits until the guard of an init that has ended is reaped.
func (g *guard) wait() {
	if g != nil {
		<-g.ended
	}
}
