package task

import (
	"context"
	"log/slog"
	"sync"

	eventstypes "github.com/containerd/containerd/api/events"
	"github.com/containerd/containerd/v2/core/events"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/containerd/v2/pkg/shim"
)

// topic returns the topic of an event (containerd's core/runtime/events.go, a package with
// many dependencies).
func topic(e events.Event) string {
	switch e.(type) {
	case *eventstypes.TaskCreate:
		return "/tasks/create"
	case *eventstypes.TaskStart:
		return "/tasks/start"
	case *eventstypes.TaskOOM:
		return "/tasks/oom"
	case *eventstypes.TaskExit:
		return "/tasks/exit"
	case *eventstypes.TaskDelete:
		return "/tasks/delete"
	case *eventstypes.TaskExecAdded:
		return "/tasks/exec-added"
	case *eventstypes.TaskExecStarted:
		return "/tasks/exec-started"
	case *eventstypes.TaskCheckpointed:
		return "/tasks/checkpointed"
	case *eventstypes.TaskPaused:
		return "/tasks/paused"
	case *eventstypes.TaskResumed:
		return "/tasks/resumed"
	}
	return "/tasks/?"
}

// queue publishes events in the order of send, without letting the sender wait for
// containerd.
type queue struct {
	publisher shim.Publisher
	mu        sync.Mutex
	more      *sync.Cond
	events    []events.Event
	closed    bool
	done      chan struct{}
}

func newQueue(namespace string, publisher shim.Publisher) *queue {
	q := &queue{publisher: publisher, done: make(chan struct{})}
	q.more = sync.NewCond(&q.mu)
	go q.run(namespaces.WithNamespace(context.Background(), namespace))
	return q
}

// send appends an event.
func (q *queue) send(e events.Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.events = append(q.events, e)
	q.more.Signal()
}

// close publishes what is queued, and closes the publisher.
func (q *queue) close(ctx context.Context) error {
	q.mu.Lock()
	q.closed = true
	q.more.Signal()
	q.mu.Unlock()
	select {
	case <-q.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	return q.publisher.Close()
}

func (q *queue) run(ctx context.Context) {
	defer close(q.done)
	for {
		list, closed := q.next()
		for _, e := range list {
			// The publisher tries again after an error.
			if err := q.publisher.Publish(ctx, topic(e), e); err != nil {
				slog.Error("publish event", "topic", topic(e), "error", err)
			}
		}
		if closed {
			return
		}
	}
}

// next waits for events, or the end.
func (q *queue) next() ([]events.Event, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.events) == 0 && !q.closed {
		q.more.Wait()
	}
	list := q.events
	q.events = nil
	return list, q.closed
}
