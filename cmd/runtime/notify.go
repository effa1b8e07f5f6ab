package main

import (
	"context"
	"os"

	ociruntime "github.com/berth-oci/berth/runtime"
)

// notifySocket returns the socket for readiness messages, if a service manager started
// this process with one (sd_notify(3)).
func notifySocket() string { return os.Getenv("NOTIFY_SOCKET") }

// notify starts to forward the program's messages to the service manager; it returns
// nil without a socket. MainPid is the main process of the service.
func (a *app) notify(c *ociruntime.Container, mainPid int) (*ociruntime.NotifyProxy, error) {
	if notifySocket() == "" {
		return nil, nil
	}
	return c.Notify(notifySocket(), mainPid)
}

// awaitReady waits until the program is ready or has ended. A service manager expects
// this of the process that starts the service.
func (a *app) awaitReady(ctx context.Context, c *ociruntime.Container, n *ociruntime.NotifyProxy) {
	if n == nil {
		return
	}
	if err := n.Ready(ctx, c); err != nil { // not fatal: the program runs
		a.log.Warn(oneLine(err))
	}
}

// relay waits for readiness in a goroutine. Last, to be called when the program has
// ended, forwards its remaining messages.
func (a *app) relay(ctx context.Context, c *ociruntime.Container, n *ociruntime.NotifyProxy) (last func() error) {
	if n == nil {
		return func() error { return nil }
	}
	announced := make(chan struct{})
	go func() {
		a.awaitReady(ctx, c, n)
		close(announced)
	}()
	return func() error {
		<-announced
		return n.Close()
	}
}
