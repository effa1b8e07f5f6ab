package systemd

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// fakeSystemd acts as the message bus and systemd.
type fakeSystemd struct {
	t       *testing.T
	address string
	clients sync.WaitGroup

	mu    sync.Mutex
	calls []string            // "Method unit"
	props map[string][]string // of units: "Name=value"
	state map[string]string   // of units: ActiveState
	// hang are the methods without an answer, also "AUTH".
	hang []string
	// refuse are errors by method, or by the name of a property.
	refuse map[string]dbus.Error
	// busy is the number of calls of StartTransientUnit that the bus does not
	// deliver.
	busy int
	// result is the result of jobs: "done" if empty; with "never" they do not
	// end.
	result string
	jobs   uint32
}

func newFake(t *testing.T) *fakeSystemd {
	f := &fakeSystemd{
		t: t, address: filepath.Join(t.TempDir(), "bus"),
		props: map[string][]string{}, state: map[string]string{}, refuse: map[string]dbus.Error{},
	}
	l, err := net.Listen("unix", f.address)
	if err != nil {
		t.Fatal(err)
	}
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f.clients.Go(func() { f.serve(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		accepting.Wait()
		f.clients.Wait()
	})
	return f
}

// dial connects like the package does; with short limits if the fake never
// answers.
func (f *fakeSystemd) dial(ctx context.Context, _ bool) (*bus, error) {
	f.mu.Lock()
	patience := limits{call: time.Minute, job: time.Minute}
	if len(f.hang) > 0 || f.result == "never" {
		patience = limits{call: time.Second, job: time.Second}
	}
	f.mu.Unlock()
	return connect(ctx, "unix:path="+f.address, true, patience)
}

// set changes the behavior of the fake.
func (f *fakeSystemd) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// unit returns the properties and the state of a unit, "" if it does not exist.
func (f *fakeSystemd) unit(name string) (props []string, state string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.props[name], f.state[name]
}

func (f *fakeSystemd) hangs(what string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Contains(f.hang, what)
}

func (f *fakeSystemd) serve(c net.Conn) {
	defer c.Close() //nolint:errcheck // the client may have left
	in := bufio.NewReader(c)
	if f.hangs("AUTH") {
		_, _ = io.Copy(io.Discard, in)
		return
	}
	if ok, err := authenticate(in, c); !ok {
		if err != nil {
			f.t.Error(err)
		}
		return
	}
	for {
		msg, err := dbus.DecodeMessage(in)
		if err != nil {
			return // the client has closed
		}
		for _, answer := range f.answer(msg) {
			var b bytes.Buffer
			if err := answer.EncodeTo(&b, binary.LittleEndian); err != nil {
				f.t.Errorf("answer %v: %v", answer, err)
			}
			if _, err := c.Write(b.Bytes()); err != nil {
				return
			}
		}
	}
}

// authenticate is the server's side of the EXTERNAL mechanism, as in sd-bus and
// dbus-daemon: the socket identifies the user. A client that closes the
// connection is not an error.
func authenticate(in *bufio.Reader, out io.Writer) (ok bool, err error) {
	if _, err := in.ReadByte(); err != nil { // the zero byte
		return false, nil
	}
	answers := map[string]string{
		"AUTH": "REJECTED EXTERNAL", "AUTH EXTERNAL": "DATA", "DATA": "OK 0123456789abcdef0123456789abcdef",
		"NEGOTIATE_UNIX_FD": "ERROR", "BEGIN": "",
	}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return false, nil
		}
		text, known := answers[strings.TrimSuffix(line, "\r\n")]
		switch {
		case !known:
			return false, fmt.Errorf("authenticate: unexpected %q", line)
		case text == "":
			return true, nil
		}
		if _, err := io.WriteString(out, text+"\r\n"); err != nil {
			return false, nil
		}
	}
}

// answer returns the answers to a message: none, or a reply and signals.
func (f *fakeSystemd) answer(msg *dbus.Message) []*dbus.Message {
	method, _ := msg.Headers[dbus.FieldMember].Value().(string)
	unit, _ := first(msg.Body).(string)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, strings.TrimSpace(method+" "+unit))
	if slices.Contains(f.hang, method) {
		return nil
	}
	body, job, err := f.perform(method, unit, msg.Body)
	var refusal dbus.Error
	switch {
	case errors.As(err, &refusal):
		return []*dbus.Message{message(msg, dbus.TypeError, map[dbus.HeaderField]any{dbus.FieldErrorName: refusal.Name}, refusal.Body)}
	case err != nil:
		f.t.Error(err)
	}
	answers := []*dbus.Message{message(msg, dbus.TypeMethodReply, nil, body)}
	if job != "" && f.result != "never" {
		result := f.result
		if result == "" {
			result = "done"
		}
		answers = append(answers, message(msg, dbus.TypeSignal, map[dbus.HeaderField]any{
			dbus.FieldPath: managerPath, dbus.FieldInterface: managerInterface, dbus.FieldMember: "JobRemoved",
		}, []any{f.jobs, job, unit, result}))
	}
	if msg.Flags&dbus.FlagNoReplyExpected != 0 {
		return nil
	}
	return answers
}

func first(body []any) any {
	if len(body) == 0 {
		return nil
	}
	return body[0]
}

// message makes the answer to a message.
func message(to *dbus.Message, typ dbus.Type, headers map[dbus.HeaderField]any, body []any) *dbus.Message {
	m := &dbus.Message{Type: typ, Body: body, Headers: map[dbus.HeaderField]dbus.Variant{}}
	if typ != dbus.TypeSignal {
		m.Headers[dbus.FieldReplySerial] = dbus.MakeVariant(to.Serial())
	}
	m.Headers[dbus.FieldSender] = dbus.MakeVariant(busName)
	for k, v := range headers {
		m.Headers[k] = dbus.MakeVariant(v)
	}
	if len(body) > 0 {
		m.Headers[dbus.FieldSignature] = dbus.MakeVariant(dbus.SignatureOf(body...))
	}
	return m
}

func refusal(name, text string) dbus.Error { return dbus.Error{Name: name, Body: []any{text}} }

// perform simulates systemd's operation. It returns a job path if there is a
// job.
func (f *fakeSystemd) perform(method, unit string, args []any) (body []any, job dbus.ObjectPath, err error) {
	if e, ok := f.refuse[method]; ok {
		return nil, "", e
	}
	if method == "StartTransientUnit" && f.busy > 0 {
		f.busy--
		return nil, "", refusal(errLimits, "Rejected: destination has a full message queue")
	}
	_, exists := f.state[unit]
	f.jobs++
	job = dbus.ObjectPath(fmt.Sprintf("/org/freedesktop/systemd1/job/%d", f.jobs))
	switch method {
	case "Hello":
		return []any{":1.1"}, "", nil
	case "AddMatch":
		return nil, "", nil
	case "Get":
		if name := args[1].(string); name == "ActiveState" {
			return []any{dbus.MakeVariant(f.state["x-y.scope"])}, "", nil
		}
		return []any{dbus.MakeVariant("/user.slice/user-7.slice/user@7.service")}, "", nil
	case "GetUnit":
		if !exists {
			return nil, "", refusal(errNoSuchUnit, "Unit "+unit+" not loaded.")
		}
		return []any{dbus.ObjectPath("/org/freedesktop/systemd1/unit/x")}, "", nil
	case "StartTransientUnit":
		if exists {
			return nil, "", refusal(errUnitExists, "Unit "+unit+" was already loaded or has a fragment file.")
		}
		if err := f.take(unit, args[2]); err != nil {
			return nil, "", err
		}
		f.state[unit] = "active"
		return []any{job}, job, nil
	case "AttachProcessesToUnit":
		f.props[unit] = append(f.props[unit], fmt.Sprint("attached ", args[1], args[2]))
		return nil, "", nil
	case "SetUnitProperties":
		return nil, "", f.take(unit, args[2])
	case "StopUnit":
		if !exists {
			return nil, "", refusal(errNoSuchUnit, "Unit "+unit+" not loaded.")
		}
		f.state[unit] = "failed"
		return []any{job}, job, nil
	case "ResetFailedUnit":
		delete(f.state, unit)
		return nil, "", nil
	}
	return nil, "", fmt.Errorf("method %q", method)
}

// take sets properties of a unit, unless the fake refuses one.
func (f *fakeSystemd) take(unit string, list any) error {
	var props []string
	for _, p := range list.([][]any) {
		name, value := p[0].(string), p[1].(dbus.Variant)
		if e, ok := f.refuse[name]; ok {
			return e
		}
		props = append(props, name+"="+value.String())
	}
	f.props[unit] = props
	return nil
}

// called returns the calls in their order, without those with which every
// connection begins.
func (f *fakeSystemd) called() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(f.calls), func(c string) bool { return c == "Hello" || strings.HasPrefix(c, "AddMatch") })
}
