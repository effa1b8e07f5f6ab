package systemd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/godbus/dbus/v5"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
)

// Errors of systemd's that are dealt with, by name.
const (
	errUnitExists = "org.freedesktop.systemd1.UnitExists"
	errNoSuchUnit = "org.freedesktop.systemd1.NoSuchUnit"
)

// is tells whether err is the error of that name.
func is(err error, name string) bool {
	var answer dbus.Error
	return errors.As(err, &answer) && answer.Name == name
}

// auxiliary is the type of units that StartTransientUnit could start beside.
type auxiliary struct {
	Name       string
	Properties []wire
}

// startTransient starts the unit. What is left of one by the same name is
// cleared away; an optional property that this systemd refuses is left out.
// Begun says that there may be a unit of ours.
func (m *Manager) startTransient(ctx context.Context, b *bus, props []property) (begun bool, err error) {
	deadline := time.Now().Add(m.retry)
	for {
		err := m.offer(props, func(w []wire) error {
			return b.runJob(ctx, "StartTransientUnit", m.unit.Name, "replace", w, []auxiliary{})
		})
		if !is(err, errUnitExists) || time.Now().After(deadline) {
			return !refused(err), err
		}
		if err := m.clearLeftover(ctx, b); err != nil {
			return false, err
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil { // in which systemd forgets it
			return false, err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// clearLeftover has systemd forget a unit in which nothing runs: a runtime that
// died has left it, or a container that failed. One that is in use is another's.
func (m *Manager) clearLeftover(ctx context.Context, b *bus) error {
	state, err := m.activeState(ctx, b)
	if err != nil || state == "inactive" {
		return err
	}
	if dir := m.Paths()[""]; cgroupfs.Exists(dir, "cgroup.procs") {
		if err := cgroupfs.CheckEmpty(dir); err != nil {
			return fmt.Errorf("the unit exists and is %s: %w", state, err)
		}
	}
	return m.stopUnit(ctx, b)
}

// activeState gives the unit's state, "inactive" for one that systemd does not
// know.
func (m *Manager) activeState(ctx context.Context, b *bus) (string, error) {
	var object dbus.ObjectPath
	err := b.do(ctx, b.manager(), managerInterface+".GetUnit", []any{m.unit.Name}, &object)
	if is(err, errNoSuchUnit) {
		return "inactive", nil
	}
	if err != nil {
		return "", err
	}
	v, err := b.property(ctx, object, unitInterface, "ActiveState")
	if err != nil {
		return "", err
	}
	state, _ := v.Value().(string)
	return state, nil
}

// stopUnit stops the unit and has systemd forget that it may have failed.
func (m *Manager) stopUnit(ctx context.Context, b *bus) error {
	err := b.runJob(ctx, "StopUnit", m.unit.Name, "replace")
	if is(err, errNoSuchUnit) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := b.invoke(ctx, "ResetFailedUnit", m.unit.Name); !is(err, errNoSuchUnit) {
		return err
	}
	return nil
}

// setProperties changes the unit until it stops or the host does.
func (m *Manager) setProperties(ctx context.Context, b *bus, props []property) error {
	const runtime = true
	return m.offer(props, func(w []wire) error {
		return b.invoke(ctx, "SetUnitProperties", m.unit.Name, runtime, w)
	})
}

// offer makes a call with properties, and again without those that systemd
// refuses, where that only means that it does not know of a limit.
func (m *Manager) offer(props []property, call func([]wire) error) error {
	for {
		wires := make([]wire, len(props))
		for i, p := range props {
			wires[i] = p.wire()
		}
		err := call(wires)
		bad := refusedProperty(err, props)
		switch {
		case bad == nil:
			return err
		case bad.instead != nil:
			props = append(without(props, bad), *bad.instead)
			continue
		}
		m.warn("systemd refuses a property, which is left out: what it says is in the cgroup's files alone", "unit", m.unit.Name, "property", bad.name, "error", err)
		props = without(props, bad)
	}
}

// without gives the properties but for one, and those that go with it.
func without(props []property, bad *property) []property {
	return slices.DeleteFunc(slices.Clone(props), bad.goesWith)
}

// goesWith tells whether other is to be left out with p.
func (p *property) goesWith(other property) bool {
	return other.name == p.name || p.with != "" && other.with == p.with
}

// refusedProperty gives the property that an error is about, if it can be left
// out. systemd names it in the text: "Cannot set property AllowedCPUs, or
// unknown property."
func refusedProperty(err error, props []property) *property {
	var answer dbus.Error
	if !errors.As(err, &answer) {
		return nil
	}
	words := strings.FieldsFunc(answer.Error(), func(r rune) bool { return !unicode.IsLetter(r) })
	for i, p := range props {
		if (p.spare || p.instead != nil) && slices.Contains(words, p.name) {
			return &props[i]
		}
	}
	return nil
}
