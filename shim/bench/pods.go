package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	pods          = 20 // that start concurrently
	podContainers = 3  // of each pod
)

// pod is a shim with its containers.
type pod struct {
	bundles []*bundle
	service *service
}

// pods measures the start and the end of pods, all of them concurrently.
func (h *host) pods(ctx context.Context, c candidate, v values) error {
	before := cpuOf(0)
	all := make([]*pod, pods)
	for i := range all {
		var err error
		if all[i], err = h.newPod(c); err != nil {
			return err
		}
	}
	began := time.Now()
	if err := concurrently(all, func(p *pod) error { return p.start(ctx, h, c) }); err != nil {
		return err
	}
	ran := time.Since(began)
	v["20 pods of 3 containers to running, wall"] = ms(ran)
	if err := h.memory(all, v); err != nil {
		return err
	}
	began = time.Now()
	if err := concurrently(all, func(p *pod) error { return p.end(ctx) }); err != nil {
		return err
	}
	v["20 pods of 3 containers, all, wall"] = ms(ran + time.Since(began))
	v["20 pods of 3 containers, all, CPU"] = cpuOf(0) - before
	return nil
}

// memory measures the shims of pods, at once and when they have released memory.
func (h *host) memory(all []*pod, v values) error {
	if err := meanPSS(all, v, "20 pods of 3 containers, PSS of a shim"); err != nil || h.idle == 0 {
		return err
	}
	time.Sleep(h.idle)
	return meanPSS(all, v, fmt.Sprintf("20 pods of 3 containers, after %v, PSS of a shim", h.idle))
}

func meanPSS(all []*pod, v values, name string) error {
	for _, p := range all {
		memory, err := pss(p.service.pid)
		if err != nil {
			return err
		}
		v[name] += memory / pods
	}
	return nil
}

// newPod makes the bundles of a pod. The group is the ID of the first.
func (h *host) newPod(c candidate) (*pod, error) {
	p, group := &pod{}, ""
	for range podContainers {
		b, err := h.bundle(c, group)
		if err != nil {
			return nil, err
		}
		if group == "" {
			group = b.id
		}
		p.bundles = append(p.bundles, b)
	}
	return p, nil
}

// start starts the shim and the containers. As containerd does, it asks the program
// for the shim of each container.
func (p *pod) start(ctx context.Context, h *host, c candidate) error {
	for _, b := range p.bundles {
		s, err := h.start(ctx, c, b)
		if err != nil {
			return err
		}
		if p.service == nil {
			p.service = s
		} else if err := s.client.Close(); err != nil {
			return err
		}
		if err := p.service.run(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

func (p *pod) end(ctx context.Context) error {
	for _, b := range p.bundles {
		if err := errors.Join(p.service.end(ctx, b), b.remove()); err != nil {
			return err
		}
	}
	return p.service.shutdown(ctx, p.bundles[0])
}

// concurrently calls a function for each pod, in goroutines, and waits for all.
func concurrently(all []*pod, f func(*pod) error) error {
	errs := make([]error, len(all))
	var group sync.WaitGroup
	for i, p := range all {
		group.Go(func() { errs[i] = f(p) })
	}
	group.Wait()
	return errors.Join(errs...)
}
