package task

import (
	"context"
	"runtime/debug"

	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/containerd/v2/pkg/shim"
	"github.com/containerd/containerd/v2/pkg/shutdown"
	"github.com/containerd/containerd/v2/plugins"
	"github.com/containerd/plugin"
	"github.com/containerd/plugin/registry"
	"github.com/containerd/ttrpc"
)

// gcPercent is Go's default. containerd's shim package has set 40 to save memory, but with
// that the start of a pod collects garbage twice, and the collector's tables take more
// than the garbage. The package also releases memory every 30 seconds.
const gcPercent = 100

// Register makes the service a plugin of containerd's shim package.
func Register() {
	registry.Register(&plugin.Registration{
		Type:     plugins.TTRPCPlugin,
		ID:       "task",
		Requires: []plugin.Type{plugins.EventPlugin, plugins.InternalPlugin},
		InitFn: func(ic *plugin.InitContext) (any, error) {
			publisher, err := ic.GetByID(plugins.EventPlugin, "publisher")
			if err != nil {
				return nil, err
			}
			sd, err := ic.GetByID(plugins.InternalPlugin, "shutdown")
			if err != nil {
				return nil, err
			}
			namespace, err := namespaces.NamespaceRequired(ic.Context)
			if err != nil {
				return nil, err
			}
			debug.SetGCPercent(gcPercent)
			s := New(ic.Context, namespace, publisher.(shim.Publisher), sd.(shutdown.Service))
			sd.(shutdown.Service).RegisterCallback(s.close)
			return s, nil
		},
	})
}

// services are the names of containerd's task service: of containerd 1.x and 2.x. Their
// messages have the same fields; a test compares them.
var services = []string{"containerd.task.v2.Task", "containerd.task.v3.Task"}

// RegisterTTRPC implements containerd's shim.TTRPCService.
func (s *Service) RegisterTTRPC(server *ttrpc.Server) error {
	for _, name := range services {
		server.RegisterService(name, &ttrpc.ServiceDesc{Methods: map[string]ttrpc.Method{
			"State":      method(s.State),
			"Create":     method(s.Create),
			"Start":      method(s.Start),
			"Delete":     method(s.Delete),
			"Pids":       method(s.Pids),
			"Pause":      method(s.Pause),
			"Resume":     method(s.Resume),
			"Checkpoint": method(s.Checkpoint),
			"Kill":       method(s.Kill),
			"Exec":       method(s.Exec),
			"ResizePty":  method(s.ResizePty),
			"CloseIO":    method(s.CloseIO),
			"Update":     method(s.Update),
			"Wait":       method(s.Wait),
			"Stats":      method(s.Stats),
			"Connect":    method(s.Connect),
			"Shutdown":   method(s.Shutdown),
		}})
	}
	return nil
}

// method decodes a request, calls f, and converts its error to a status.
func method[Request, Response any](f func(context.Context, *Request) (*Response, error)) ttrpc.Method {
	return func(ctx context.Context, unmarshal func(any) error) (any, error) {
		request := new(Request)
		if err := unmarshal(request); err != nil {
			return nil, err
		}
		response, err := f(ctx, request)
		if err != nil {
			return nil, statusOf(err)
		}
		return response, nil
	}
}
