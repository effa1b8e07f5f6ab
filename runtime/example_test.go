package ociruntime_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer"
	ociruntime "github.com/berth-oci/berth/runtime"
	"github.com/berth-oci/berth/specconv"
)

// The whole life of a container, in any Go program: without a call at the program's
// start, another binary or a config.json.
func Example() {
	status, err := greet(context.Background(), "/run/my-program", "/srv/images/hello", os.Stdout)
	if err != nil {
		fmt.Println(err)
	}
	fmt.Println("exit code", status.Code)
}

// greet runs the program hello of an image and waits for it.
func greet(ctx context.Context, stateRoot, rootfs string, out io.Writer) (libcontainer.ExitStatus, error) {
	rt, err := ociruntime.New(ociruntime.Options{Root: stateRoot})
	if err != nil {
		return libcontainer.ExitStatus{}, err
	}
	spec := specconv.Default(specconv.DefaultOptions{})
	spec.Root.Path = rootfs
	spec.Hostname = "example"
	spec.Process.Terminal = false
	spec.Process.Args = []string{"/hello", "greet"}

	id := fmt.Sprintf("example-%d", os.Getpid()) // also the name of its cgroup
	c, err := rt.Create(ctx, id, ociruntime.CreateOptions{Spec: spec, Stdout: out})
	if err != nil {
		return libcontainer.ExitStatus{}, err
	}
	defer c.Delete(context.WithoutCancel(ctx), ociruntime.DeleteOptions{Force: true}) //nolint:errcheck // nothing more can be done
	if err := c.Start(ctx); err != nil {
		return libcontainer.ExitStatus{}, err
	}
	return c.Wait(ctx)
}

// A health check, as engines run it: with a time limit and captured output.
func ExampleContainer_Exec() {
	rt, err := ociruntime.New(ociruntime.Options{Root: "/run/my-program"})
	if err != nil {
		log.Fatal(err)
	}
	c, err := rt.Load("web")
	if err != nil {
		log.Fatal(err)
	}
	healthy, said, err := check(context.Background(), c, 5*time.Second, "/bin/check", "--quick")
	fmt.Println(healthy, said, err)
}

// check executes a program in a container and reports whether it exited with 0 in time.
func check(ctx context.Context, c *ociruntime.Container, limit time.Duration, args ...string) (bool, string, error) {
	process, err := c.NewProcess(args...)
	if err != nil {
		return false, "", err
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var out bytes.Buffer
	p, err := c.Exec(ctx, ociruntime.ExecOptions{Process: process, Stdout: &out, Stderr: &out})
	if err != nil {
		return false, "", err
	}
	status, err := p.Wait(ctx)
	if err != nil { // time limit exceeded: kill and reap it
		return false, "", errors.Join(err, p.Abandon(context.WithoutCancel(ctx)))
	}
	return status.Shell() == 0, out.String(), p.Close()
}

// A terminal for a remote user, in a browser or over ssh.
func ExampleConsole() {
	rt, err := ociruntime.New(ociruntime.Options{Root: "/run/my-program"})
	if err != nil {
		log.Fatal(err)
	}
	c, err := rt.Load("web")
	if err != nil {
		log.Fatal(err)
	}
	if err := shell(context.Background(), c, os.Stdin, os.Stdout, "/bin/sh"); err != nil {
		log.Fatal(err)
	}
}

// shell executes a program on a terminal, until it ends.
func shell(ctx context.Context, c *ociruntime.Container, in io.Reader, out io.Writer, args ...string) error {
	process, err := c.NewProcess(args...)
	if err != nil {
		return err
	}
	process.Terminal = true
	p, err := c.Exec(ctx, ociruntime.ExecOptions{Process: process})
	if err != nil {
		return err
	}
	defer p.Close()                                    //nolint:errcheck // nothing more can be done
	if err := p.Console().Resize(24, 80); err != nil { // and again when the user's window changes
		return err
	}
	go io.Copy(p.Console(), in) //nolint:errcheck // ends with the console
	_, err = io.Copy(out, p.Console())
	if err != nil && !errors.Is(err, unix.EIO) { // EIO: no process has the terminal open
		return errors.Join(err, p.Abandon(ctx))
	}
	_, err = p.Wait(ctx)
	return err
}

// A supervisor: it waits for the program's exit status, which shows an OOM kill, while
// other goroutines may stop or delete the container.
func ExampleContainer_Wait() {
	ctx := context.Background()
	rt, err := ociruntime.New(ociruntime.Options{Root: "/run/my-program"})
	if err != nil {
		log.Fatal(err)
	}
	c, err := rt.Run(ctx, "web", ociruntime.CreateOptions{Bundle: "/srv/bundles/web", Stdout: os.Stdout, Stderr: os.Stderr})
	if err != nil {
		log.Fatal(err)
	}
	time.AfterFunc(time.Hour, func() {
		if err := c.Delete(ctx, ociruntime.DeleteOptions{Force: true}); err != nil {
			log.Print(err)
		}
	})
	status, err := c.Wait(ctx)
	var output *ociruntime.OutputError
	switch {
	case errors.As(err, &output):
		log.Print("not all of its output is in the log: ", output)
	case err != nil:
		log.Fatal(err)
	}
	switch {
	case status.OOM != "":
		log.Print("it had too little memory: ", status.OOM)
	case status.Signal != 0:
		log.Print("it was killed: ", status.Signal)
	default:
		log.Print("it has ended with ", status.Code)
	}
}
