package main

import (
	"context"
	"os"

	ociruntime "github.com/berth-oci/berth/runtime"
)

// notifySocket gives the socket of the service manager by which this process
// was started, if it wants to know when the service is ready (sd_notify(3)).
func notifySocket() string { return os.Getenv("NOTIFY_SOCKET") }

// notify begins to pass on to the service manager what the program tells; nil
// if nobody wants to know. MainPid is the process of the service.
func (a *app) notify(c *ociruntime.Container, mainPid int) (*ociruntime.NotifyProxy, error) {
	if notifySocket() == "" {
		return nil, nil
	}
	return c.Notify(notifySocket(), mainPid)
}

// awaitReady waits, as who starts a service does, until it is ready, or ended.
func (a *app) awaitReady(ctx context.Context, c *ociruntime.Container, n *ociruntime.NotifyProxy) {
	if n == nil {
		return
	}
	if err := n.Ready(ctx, c); err != nil { // it runs all the same
		a.log.Warn(oneLine(err))
	}
}

// relay waits for the service to be ready, beside its running. The function
// returned, for when it has ended, passes on what it said last.
func (a *app) relay(ctx context.Context, c *ociruntime.Container, n *ociruntime.NotifyProxy) (last func() error) {
	if n == nil {
		return func() error { return nil }
	}
	known := make(chan struct{})
	go func() {
		a.awaitReady(ctx, c, n)
		close(known)
	}()
	return func() error {
		<-known
		return n.Close()
	}
}
