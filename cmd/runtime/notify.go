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
