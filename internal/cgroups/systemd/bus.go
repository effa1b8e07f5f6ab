package systemd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
)

// limits are how long to wait for an answer, and for the end of a job.
type limits struct{ call, job time.Duration }

// patience are the limits for systemd, which answers in a millisecond, or in
// seconds on a host under heavy load.
func patience() limits { return limits{call: 10 * time.Second, job: 30 * time.Second} }

// Names in systemd's interface, org.freedesktop.systemd1(5).
const (
	busName          = "org.freedesktop.systemd1"
	managerPath      = dbus.ObjectPath("/org/freedesktop/systemd1")
	managerInterface = "org.freedesktop.systemd1.Manager"
	unitInterface    = "org.freedesktop.systemd1.Unit"

	messageBus     = "org.freedesktop.DBus"
	messageBusPath = dbus.ObjectPath("/org/freedesktop/DBus")
)

// bus is a connection to a systemd.
type bus struct {
	conn *conn
	// matched is the call that requests the signals; 0 without a message bus, and once it
	// is answered.
	matched uint32
	public  bool // it is a message bus
	limits  limits
}

// dial connects to the system's systemd, or to the user's. It uses the message
// bus or, if that does not exist or refuses more connections, systemd's own
// socket.
func dial(ctx context.Context, user bool) (*bus, error) {
	public, private, err := addresses(user)
	if err != nil {
		return nil, err
	}
	return dialAt(ctx, public, private, user)
}

func dialAt(ctx context.Context, public, private string, user bool) (*bus, error) {
	b, err := connect(ctx, public, true, patience())
	// A dbus-daemon accepts 256 connections of a user.
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ECONNREFUSED) || is(err, errLimits) {
		var e error
		if b, e = connect(ctx, private, false, patience()); e == nil {
			return b, nil
		}
		err = errors.Join(err, e)
	}
	if err != nil {
		return nil, fmt.Errorf("connect to systemd: %w%s", err, remedy(err, user))
	}
	return b, nil
}

func remedy(err error, user bool) string {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return " (the message bus hangs: see systemctl status dbus)"
	case user:
		return " (is there a systemd of this user? see loginctl enable-linger and systemctl status user@" + hostUser() + "; without it leave --systemd-cgroup out)"
	}
	return " (does systemd run this host? without it leave --systemd-cgroup out)"
}

// hostUser returns the ID of the user outside this user namespace, in which rootless engines
// run the runtime as root.
func hostUser() string {
	uid := strconv.Itoa(os.Getuid())
	var inside, outside string
	if text, err := sys.ReadFile("/proc/self/uid_map"); err == nil {
		_, _ = fmt.Sscan(string(text), &inside, &outside) // empty without a mapping
	}
	if inside == uid {
		return outside
	}
	return uid
}

// addresses returns the addresses of the message bus and of systemd itself.
func addresses(user bool) (public, private string, err error) {
	if !user {
		return "unix:path=/run/dbus/system_bus_socket", "unix:path=/run/systemd/private", nil
	}
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if public = os.Getenv("DBUS_SESSION_BUS_ADDRESS"); public == "" && dir == "" {
		return "", "", errors.New("connect to systemd: set DBUS_SESSION_BUS_ADDRESS or XDG_RUNTIME_DIR, to find the systemd of the user")
	}
	path := func(name string) string { return "unix:path=" + dbus.EscapeBusAddressValue(dir+name) }
	if public == "" {
		public = path("/bus")
	}
	return public, path("/systemd/private"), nil
}

// connect opens a connection. A message bus needs a Hello, and a request for
// signals.
func connect(ctx context.Context, address string, public bool, l limits) (*bus, error) {
	b := &bus{public: public, limits: l}
	err := within(ctx, l.call, "connect to "+address, func(ctx context.Context) (err error) {
		if b.conn, err = open(ctx, address); err != nil || !public {
			return err
		}
		return b.conn.until(ctx, b.greet)
	})
	if err != nil && b.conn != nil {
		b.close()
	}
	return b, err
}

// within runs f with a context that ends at the limit.
func within(ctx context.Context, limit time.Duration, what string, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := f(ctx)
	if err != nil && ctx.Err() != nil {
		return late(ctx, what, limit)
	}
	return err
}

// late returns the error about an answer that did not come in time.
func late(ctx context.Context, what string, limit time.Duration) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("%s: no answer in %s: %w", what, limit, os.ErrDeadlineExceeded)
	}
	return fmt.Errorf("%s: %w", what, ctx.Err())
}

// greet registers with a message bus.
func (b *bus) greet() error {
	hello, err := b.conn.send(method{messageBus, messageBusPath, messageBus + ".Hello"})
	if err == nil {
		_, err = b.conn.await(hello)
	}
	if err != nil {
		return err
	}
	// No wait here, because answers come in order. No Subscribe: systemd
	// signals the end of a job to the caller without it, and with it sends
	// signals about all its units over the bus.
	match := "type='signal',sender='" + busName + "',path='" + string(managerPath) + "',interface='" + managerInterface + "',member='JobRemoved'"
	b.matched, err = b.conn.send(method{messageBus, messageBusPath, messageBus + ".AddMatch"}, match)
	return err
}

// passesFiles reports whether descriptors can be sent. systemd (257) agrees to
// take them at its own socket, but then closes the connection.
func (b *bus) passesFiles() bool { return b.public && b.conn.files }

func (b *bus) close() { b.conn.close() }

// errLimits is the message bus's refusal of another message or connection.
const errLimits = "org.freedesktop.DBus.Error.LimitsExceeded"

// do calls a method of a systemd's object and stores its results. While the message bus
// already has too many messages for systemd, it tries again.
func (b *bus) do(ctx context.Context, object dbus.ObjectPath, name string, args []any, result ...any) error {
	full := func(err error) bool { return is(err, errLimits) }
	return within(ctx, b.limits.call, name, func(ctx context.Context) error {
		return repeat(ctx, full, func() error { return b.call(ctx, method{busName, object, name}, args, result) })
	})
}

func (b *bus) call(ctx context.Context, m method, args, result []any) error {
	return b.conn.until(ctx, func() error {
		serial, err := b.conn.send(m, args...)
		if err != nil {
			return err
		}
		body, err := b.conn.await(serial)
		if err != nil {
			return err
		}
		return dbus.Store(body, result...)
	})
}

// manager calls a method of systemd's manager and stores its results.
func (b *bus) manager(ctx context.Context, name string, args []any, result ...any) error {
	return b.do(ctx, managerPath, managerInterface+"."+name, args, result...)
}

// property reads a property of an object.
func (b *bus) property(ctx context.Context, object dbus.ObjectPath, iface, name string) (dbus.Variant, error) {
	var v dbus.Variant
	err := b.do(ctx, object, "org.freedesktop.DBus.Properties.Get", []any{iface, name}, &v)
	return v, err
}

// runJob calls a method that starts a job, and waits for the job's end.
func (b *bus) runJob(ctx context.Context, name string, args ...any) error {
	var job dbus.ObjectPath
	if err := b.manager(ctx, name, args, &job); err != nil {
		return err
	}
	if err := b.awaitMatch(ctx); err != nil {
		return err
	}
	return within(ctx, b.limits.job, "job of "+name, func(ctx context.Context) error {
		return b.conn.until(ctx, func() error {
			for {
				s, err := b.conn.signal()
				if err != nil {
					return fmt.Errorf("job of %s: %w", name, err)
				}
				if over, err := jobResult(s, job); over {
					return err
				}
			}
		})
	})
}

// awaitMatch waits until the bus accepted the request for signals. After the
// answer to a later call, that answer has nearly always come.
func (b *bus) awaitMatch(ctx context.Context) error {
	if b.matched == 0 {
		return nil
	}
	return within(ctx, b.limits.call, "AddMatch", func(ctx context.Context) error {
		return b.conn.until(ctx, func() error {
			_, err := b.conn.await(b.matched)
			b.matched = 0
			return err
		})
	})
}

// jobResult reports whether a signal is about the end of the job, with its
// error.
func jobResult(s *dbus.Signal, job dbus.ObjectPath) (over bool, err error) {
	var id uint32
	var path dbus.ObjectPath
	var unit, result string
	if s.Name != managerInterface+".JobRemoved" || dbus.Store(s.Body, &id, &path, &unit, &result) != nil || path != job {
		return false, nil
	}
	if result != "done" {
		err = fmt.Errorf("systemd's job has ended as %q (see journalctl -u %s)", result, unit)
	}
	return true, err
}
